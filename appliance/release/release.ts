import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import {
  BOX_PATHS,
  compile,
  PAYLOAD_TYPES,
  ReleaseAnswer,
  ReleasedAnswer,
  type ReleasedPayload,
  type ReleasePayload,
} from '@sitewarden/agent-proto/http';
import { parseCheckpoint, parseNote } from '@sitewarden/agent-proto/note';
import { nextDelayMs, RETRY_SCHEDULES } from '@sitewarden/kit/backoff';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { withTransaction } from '@sitewarden/kit/sqlite';
import type { AgentAdmin } from '../agents/index.ts';
import type { Evidence } from '../evidence/index.ts';
import type { DeviceKey } from '../identity/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { lazily } from '../lib/lazily.ts';
import { createLoop } from '../lib/loop.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { RelayFailure } from '../lib/relay-failure.ts';
import { readRelayKeys, readRelease } from '../lib/trust.ts';
import type { Outbox } from '../outbox/index.ts';
import { changes, evidence as entries, readCursor, state } from '../store/index.ts';
import type { LeftSite } from './forget.ts';

const RELEASE_REQUEST = { method: 'GET', path: BOX_PATHS.release, isTokenAsked: true } as const;

export interface ReleaseOptions {
  readonly ctx: ApplianceContext;
  readonly client: RelayClient;
  readonly dik: DeviceKey;
  readonly agents: Pick<AgentAdmin, 'list' | 'removeAgent'>;
  readonly evidence: Pick<Evidence, 'checkpointNews' | 'wake'>;
  readonly outbox: Pick<Outbox, 'snapshot' | 'drain'>;
  readonly serial: string;
  /** The relay has taken it: the box belongs to nobody. Told once; nothing else is done here afterwards. */
  onLeft(left: LeftSite): void;
  readonly random?: () => number;
}

export interface Release extends LifecyclePart {
  /** The relay said that a release waits. */
  begin(): void;
}

/** Leaves a site when the relay says so: agents are told, the log is closed and delivered, the relay gets the box's word. */
export function createRelease(options: ReleaseOptions): Release {
  const { ctx, client, dik, agents, evidence, outbox, serial, onLeft, random = Math.random } = options;
  const { db, clock, log, config } = ctx;
  const validateAnswer = lazily(() => compile(ReleaseAnswer));
  const validateTaken = lazily(() => compile(ReleasedAnswer));
  let isAsked = false;
  let isGone = false;
  let failures = 0;
  let notBeforeMs = 0;

  /** What waits, when it is for this box, this site and this epoch. Throws TrustError. */
  async function fetch(): Promise<ReleasePayload | undefined> {
    const claim = state.get(db, 'claim');
    if (claim?.phase !== 'claimed') return undefined;
    const answer = await client.sendJson(RELEASE_REQUEST, validateAnswer());
    const release = readRelease(answer.release, readRelayKeys(answer.relayKeys, config.relay.rootKey));
    const { applianceId, epoch, siteId } = claim.site;
    const isOurs = release.applianceId === applianceId && release.epoch === epoch && release.siteId === siteId;
    if (isOurs && release.dikFingerprint === dik.fingerprint) return release;
    log.warn({ releaseId: release.releaseId }, "another box's release was ignored");
    return undefined;
  }

  function sayReleased(release: ReleasePayload): void {
    changes.append(db, { kind: 'released', refId: release.releaseId, body: release, atMs: clock.nowMs() });
  }

  /** Agents first, so that the last entry of the log is that it ends. */
  function close(release: ReleasePayload): void {
    for (const { id } of agents.list()) agents.removeAgent(id);
    withTransaction(db, () => {
      state.set(db, 'release', { value: release, atMs: clock.nowMs() });
      sayReleased(release);
    });
    log.warn({ releaseId: release.releaseId, siteId: release.siteId }, 'the box is released and closes its log');
    ctx.signals.emit('change');
  }

  /** The closed log as the relay cosigned it; undefined while something of it is still on its way. */
  function closedLog(): { size: number; rootHash: string } | undefined {
    const last = entries.lastLeaf(db);
    if (last?.kind !== 'released') return undefined;
    const cosigned = entries.lastCosigned(db);
    const lanes = outbox.snapshot();
    const waiting = lanes.evidence.depth + lanes.receipts.depth + lanes.incidents.depth;
    if (cosigned?.size !== last.seq + 1 || waiting > 0) {
      evidence.checkpointNews();
      outbox.drain.wake();
      return undefined;
    }
    const { size, rootHash } = parseCheckpoint(parseNote(cosigned.note).text);
    return { size, rootHash: Buffer.from(rootHash).toString('hex') };
  }

  async function tell(release: ReleasePayload, closed: { size: number; rootHash: string }): Promise<string | null> {
    const { releaseId, applianceId, epoch } = release;
    const word: ReleasedPayload = { releaseId, applianceId, epoch, ...closed, closedAtMs: Math.round(clock.nowMs()) };
    const released = Buffer.from(dik.envelope(PAYLOAD_TYPES.released, canonicalBytes(word))).toString('latin1');
    const body = JSON.stringify({ released });
    try {
      const request = { method: 'POST', path: BOX_PATHS.released, body, isTokenAsked: true } as const;
      return (await client.sendJson(request, validateTaken())).receipt;
    } catch (error) {
      // It was taken, and the answer was lost.
      if (error instanceof RelayFailure && error.code === 'APPLIANCE_RELEASED') return null;
      throw error;
    }
  }

  async function step(): Promise<void> {
    const release = state.get(db, 'release');
    if (release === undefined) {
      const wanted = isAsked ? await fetch() : undefined;
      isAsked = false;
      if (wanted !== undefined) close(wanted);
      return;
    }
    // Without its last entry the log would never close; one that is there already ends it before a second.
    const isWorkedOff = readCursor(db, 'evidence') >= changes.lastId(db);
    if (isWorkedOff && entries.lastLeaf(db)?.kind !== 'released') {
      sayReleased(release);
      ctx.signals.emit('change');
    }
    const closed = closedLog();
    if (closed === undefined) return;
    const receipt = await tell(release, closed);
    isGone = true;
    const { siteName, partnerName, by, reason, to } = release;
    log.warn({ releaseId: release.releaseId }, 'the box has left its site');
    const moves = to !== undefined && { movesTo: to.siteName };
    onLeft({ siteName, partnerName, by, reason, serial, ...moves, atMs: clock.nowMs(), receipt, isForgotten: false });
  }

  const loop = createLoop({
    name: 'release',
    log,
    async turn() {
      if (isGone || clock.monotonicMs() < notBeforeMs) return false;
      try {
        await step();
        failures = 0;
      } catch (error) {
        const failure = error instanceof RelayFailure ? error : undefined;
        // Taken back in time: the box goes on as if nothing had been.
        if (failure?.code === 'RELEASE_NONE' && state.get(db, 'release') === undefined) return false;
        log.warn({ code: failure?.code, err: failure === undefined ? error : undefined }, 'leaving the site waits');
        const floorMs = failure?.retryAfterMs;
        const waitMs = nextDelayMs({ ...RETRY_SCHEDULES.relay, attempt: failures, random, floorMs });
        failures += 1;
        notBeforeMs = clock.monotonicMs() + waitMs;
      }
      return false;
    },
  });

  return {
    name: 'release',
    start: loop.start,
    async stop() {
      await loop.stop();
    },
    begin() {
      if (state.get(db, 'release') !== undefined) return;
      isAsked = true;
      loop.wake();
    },
  };
}
