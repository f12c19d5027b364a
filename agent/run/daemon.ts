import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { nextDelayMs } from '@sitewarden/kit/backoff';
import { acquireLock, closeToOthers, ensureDir, type FileLock } from '@sitewarden/kit/files';
import { createLifecycle, type LifecyclePart } from '@sitewarden/kit/lifecycle';
import type { Logger } from '@sitewarden/kit/log';
import { detectServiceManager } from '@sitewarden/kit/services';
import { type Clock, systemClock } from '@sitewarden/kit/time';
import type { LoadedConfig } from '../config/index.ts';
import { agentErrors } from '../errors.ts';
import { createHealer, type Healer } from '../heal/index.ts';
import { type AgentIdentity, identityDir, openIdentity, readRemoval, writeRemoval } from '../identity/index.ts';
import { PUSH_RETRY, runPush } from '../push/index.ts';
import { type AgentQueue, createStoreHealth, openQueue, type StoreHealth } from '../queue/index.ts';
import { createSiteState, type SiteState } from '../site/index.ts';
import { createTelemetryMeter, readHostInfo } from '../telemetry/index.ts';
import { type CheckRounds, createCheckRounds } from './check-rounds.ts';
import { enrollAgent } from './enroll-agent.ts';
import { readRoom } from './room.ts';
import { createStateWriter, LOCK_FILE } from './state-file.ts';
import { AGENT_VERSION } from './version.ts';

export interface DaemonOptions {
  readonly config: LoadedConfig['config'];
  readonly log: Logger;
  /** Stops everything in good order. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Everything runs; a connection to the appliance may still be on its way. */
  readonly onStarted?: (agentId: string) => void;
}

const DAY_MS = 86_400_000;
/** A round of checks that is called off ends within its tools' kill; a session within a second. */
const STOP_TIMEOUT_MS = 5_000;

/**
 * The agent from start to stop; the parts below start in their order and stop in reverse. Ends with 'stopped' after
 * `signal`, or 'removed' once the appliance has said so. Throws AGENT_REMOVED, NOT_ENROLLED, FILE_LOCKED,
 * DATA_DIR_UNUSABLE and what enrolment throws.
 */
export async function runDaemon(options: DaemonOptions): Promise<'stopped' | 'removed'> {
  const { config, log, signal, clock = systemClock } = options;
  const { dataDir } = config;
  const state = createStateWriter(dataDir);
  const health = createStoreHealth(clock);
  const stopPush = new AbortController();
  let lock: FileLock;
  let identity: AgentIdentity;
  let queue: AgentQueue;
  let site: SiteState;
  let rounds: CheckRounds;
  let healer: Healer;
  let push: Promise<'stopped' | 'removed'> | undefined;
  const services = detectServiceManager({ pidfileDir: config.serviceManager.pidfileDir });

  const parts: LifecyclePart[] = [
    {
      name: 'data folder',
      async start() {
        await ensureDir(dataDir, 0o700);
        lock = acquireLock(join(dataDir, LOCK_FILE));
      },
      stop: () => lock.release(),
    },
    {
      name: 'identity',
      async start() {
        for (const { path, mode, error } of await closeToOthers(identityDir(dataDir))) {
          const what = error === undefined ? 'they were taken away' : 'they cannot be taken away';
          log.warn({ path, mode, err: error }, `other accounts had rights to this key file; ${what}`);
        }
        if ((await readRemoval(dataDir)) !== undefined) throw agentErrors.make('AGENT_REMOVED');
        identity = await findIdentity(options);
      },
      stop: () => {},
    },
    {
      name: 'queue',
      start() {
        const { maxRows, maxAgeDays } = config.queue;
        queue = openQueue(dataDir, { maxRows, maxAgeMs: maxAgeDays * DAY_MS }, clock);
        if (queue.setAside !== undefined) log.error({ setAside: queue.setAside }, 'the queue was damaged; a new one');
        queue.reports.bindAgent(identity.agentId);
        site = createSiteState(queue.site, config.overrides);
      },
      stop: () => queue.close(),
    },
    {
      name: 'checks',
      start() {
        rounds = createCheckRounds({ queue, site, services, clock, log, health });
        rounds.start();
      },
      stop: () => rounds.stop(),
    },
    {
      name: 'orders',
      start() {
        healer = createHealer({ orders: queue.orders, site, services, runChecks: rounds.runNow, clock, log });
        healer.recover();
      },
      stop: () => healer.stop(),
    },
    {
      name: 'push',
      start() {
        const address = config.applianceAddress ?? identity.applianceAddress;
        const meter = createTelemetryMeter();
        const tell = (connected: boolean, reason: string) =>
          state.write({
            pid: process.pid,
            agentId: identity.agentId,
            appliance: address,
            connected,
            reason,
            sinceMs: clock.nowMs(),
          });
        tell(false, 'starting');
        push = runPush({
          address,
          identity,
          queue,
          host: readHostInfo(AGENT_VERSION),
          heartbeatIntervalMs: () => site.config.heartbeatIntervalMs,
          measure: meter.measure,
          ownFacts: () => ({ ...lossFacts(queue), ...diskFacts(health, dataDir) }),
          onWelcome: () => rounds.welcomed(),
          onConfig: (wire) => site.apply(wire),
          onOrder: (order, clockOffsetMs) => healer.submit(order, clockOffsetMs),
          onConnection: ({ connected, reason }) => tell(connected, reason),
          clock,
          log,
          health,
          signal: stopPush.signal,
        });
      },
      async stop() {
        stopPush.abort();
        await push;
      },
    },
  ];

  const lifecycle = createLifecycle(parts, { log, signal, stopTimeoutMs: STOP_TIMEOUT_MS });
  try {
    await lifecycle.start();
    options.onStarted?.(identity!.agentId);
    const end = await Promise.race([push!, aborted(signal)]);
    if (end === 'removed') await noteRemoval();
    return end;
  } catch (error) {
    // A start that was called off is a stop.
    if (signal.aborted) return 'stopped';
    throw error;
  } finally {
    await lifecycle.stop();
    await state.settled();
  }

  async function noteRemoval(): Promise<void> {
    await writeRemoval(dataDir, { agentId: identity.agentId, removedAtMs: clock.nowMs() });
    const { code, message } = agentErrors.make('AGENT_REMOVED');
    log.error({ code }, message);
  }
}

/** The stored identity; without one, enrols with the token file, for as long as the appliance is away. */
async function findIdentity({ config, log, signal }: DaemonOptions): Promise<AgentIdentity> {
  const tokenFile = config.tokenFile ?? join(config.dataDir, 'token.json');
  for (let attempt = 0; ; attempt++) {
    try {
      return await openIdentity(config.dataDir);
    } catch (error) {
      if (!agentErrors.is(error, 'NOT_ENROLLED') || !(await isThere(tokenFile))) throw error;
    }
    try {
      return await enrollAgent({ config, tokenFile, log });
    } catch (error) {
      if (!agentErrors.is(error, 'APPLIANCE_UNREACHABLE') || signal.aborted) throw error;
      const waitMs = nextDelayMs({ ...PUSH_RETRY, attempt, random: Math.random });
      log.warn({ err: error, nextTryMs: waitMs }, 'enrolment waits for the appliance');
      await delay(waitMs, undefined, { signal });
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Losses ride along with the telemetry: the site must see that it did not get everything. */
function lossFacts(queue: AgentQueue): Record<string, number> {
  const lost = queue.reports.losses().reduce((sum, { reports }) => sum + reports, 0);
  return lost === 0 ? {} : { reports_lost: lost };
}

/** The disk of the data folder need not be the one of the system. */
function diskFacts({ fault }: StoreHealth, dataDir: string): Facts {
  const room = readRoom(dataDir);
  return {
    ...(room === undefined ? {} : { data_disk_total_bytes: room.totalBytes, data_disk_used_bytes: room.usedBytes }),
    ...(fault === undefined ? {} : { store_fault: fault.code }),
  };
}

function aborted(signal: AbortSignal): Promise<'stopped'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('stopped');
    else signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
}
