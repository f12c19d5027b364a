import { decodeFacts, type Facts, type Heartbeat } from '@sitewarden/agent-proto/agent';
import { withTransaction } from '@sitewarden/kit/sqlite';
import type { ApplianceContext } from '../lib/context.ts';
import { type AgentHost, type AgentRecord, list } from '../store/agents.ts';
import { agents, changes } from '../store/index.ts';

/** At most one row write for each agent in this time, however often it beats. */
const WRITE_EVERY_MS = 5000;
const TICK_MS = 1000;
/** The relay hears of heartbeats alone this often; of everything else at once. */
const TELL_EVERY_MS = 30_000;

export interface Presence {
  start(): void;
  stop(): void;
  /** A session began; `then` is told once that is on disk, with the error when it could not be written. */
  connected(agentId: string, host: AgentHost, then: (error?: unknown) => void): void;
  disconnected(agentId: string): void;
  heartbeat(agentId: string, beat: Heartbeat): void;
}

/** Who is connected and what their heartbeats say, gathered in memory and written in one transaction a second. */
export function createPresence(ctx: ApplianceContext): Presence {
  const { db, clock } = ctx;
  const beats = new Map<string, { telemetry: Facts; atMs: number }>();
  const writtenAtMs = new Map<string, number>();
  const toldAtMs = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  /** Sessions that began in this turn of the loop: all agents of a site may, and each sync of the disk takes milliseconds. */
  let begun: { agentId: string; host: AgentHost; then: (error?: unknown) => void }[] = [];

  function tell(agent: AgentRecord, atMs: number): void {
    changes.append(db, { kind: 'agent_changed', refId: agent.id, body: agents.toRow(agent), atMs });
    toldAtMs.set(agent.id, clock.monotonicMs());
  }

  /** One transaction for all of them; `write` answers whether it changed something. */
  function change(agentIds: readonly string[], write: (agentId: string, atMs: number) => boolean): void {
    const atMs = clock.nowMs();
    const isChanged = withTransaction(db, () => {
      const changed = agentIds.filter((agentId) => write(agentId, atMs));
      for (const agentId of changed) {
        const agent = agents.byId(db, agentId);
        if (agent?.state === 'active') tell(agent, atMs);
      }
      return changed.length > 0;
    });
    if (isChanged) ctx.signals.emit('change');
  }

  function writeBegun(): void {
    const batch = begun;
    if (batch.length === 0) return;
    begun = [];
    let failure: unknown;
    try {
      const hosts = new Map(batch.map(({ agentId, host }) => [agentId, host]));
      change([...hosts.keys()], (id, atMs) => {
        agents.setHost(db, { id, host: hosts.get(id)!, atMs });
        agents.setConnected(db, { id, connected: true, atMs });
        return true;
      });
    } catch (error) {
      failure = error;
    }
    for (const { then } of batch) then(failure);
  }

  function flush(): void {
    const nowMs = clock.monotonicMs();
    const due = [...beats].filter(([id]) => nowMs - (writtenAtMs.get(id) ?? -Infinity) >= WRITE_EVERY_MS);
    if (due.length === 0) return;
    let isTold = false;
    withTransaction(db, () => {
      for (const [id, { telemetry, atMs }] of due) {
        agents.heartbeat(db, { id, telemetry, atMs });
        const agent = agents.byId(db, id);
        const isDue = nowMs - (toldAtMs.get(id) ?? -Infinity) >= TELL_EVERY_MS;
        if (agent?.state !== 'active' || !isDue) continue;
        tell(agent, atMs);
        isTold = true;
      }
    });
    for (const [id] of due) {
      beats.delete(id);
      writtenAtMs.set(id, nowMs);
    }
    if (isTold) ctx.signals.emit('change');
  }

  function tick(): void {
    try {
      flush();
    } catch (error) {
      ctx.log.warn({ err: error }, 'heartbeats were not written, will retry');
    }
  }

  return {
    start() {
      // Sessions do not outlive the process, whatever the rows say.
      const connected = list(db).filter((agent) => agent.connected);
      change(
        connected.map(({ id }) => id),
        (id, atMs) => agents.setConnected(db, { id, connected: false, atMs }),
      );
      timer = setInterval(tick, TICK_MS);
    },
    stop() {
      clearInterval(timer);
      writeBegun();
      tick();
    },
    connected(agentId, host, then) {
      if (begun.push({ agentId, host, then }) === 1) setImmediate(writeBegun);
    },
    disconnected(agentId) {
      writeBegun();
      writtenAtMs.delete(agentId);
      change([agentId], (id, atMs) => agents.setConnected(db, { id, connected: false, atMs }));
    },
    heartbeat(agentId, beat) {
      const telemetry = { ...decodeFacts(beat.telemetry) };
      // Room for what every heartbeat says beside its free facts.
      if (Object.keys(telemetry).length <= 62) {
        telemetry.uptime_s = beat.uptimeS;
        telemetry.queue_depth = beat.queueDepth;
      }
      beats.set(agentId, { telemetry, atMs: clock.nowMs() });
    },
  };
}
