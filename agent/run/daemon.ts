import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { isSea } from 'node:sea';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentServiceClient, Facts } from '@sitewarden/agent-proto/agent';
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
import { type AgentQueue, createStoreHealth, openQueue, QUEUE_MIGRATIONS, type StoreHealth } from '../queue/index.ts';
import { createSiteState, type SiteState } from '../site/index.ts';
import { createTelemetryMeter, readHostInfo } from '../telemetry/index.ts';
import { createUpdater, publisherKey, targetOf, type Updater, type UpdateWatch, watchUpdate } from '../update/index.ts';
import { type CheckRounds, createCheckRounds } from './check-rounds.ts';
import { diagnose } from './diagnostics.ts';
import { enrollAgent } from './enroll-agent.ts';
import { createErrorMemory } from './error-memory.ts';
import { readRoom } from './room.ts';
import { createStateWriter, LOCK_FILE } from './state-file.ts';
import { AGENT_VERSION } from './version.ts';

export interface DaemonOptions {
  readonly config: LoadedConfig['config'];
  /** The file the configuration was read from; the trial of another version reads it too. */
  readonly configPath?: string | undefined;
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
 * `signal`, 'removed' once the appliance has said so, 'replaced' when a new program lies in its
 * place and waits for a guard, or 'putBack' when the one before lies there again. Throws AGENT_REMOVED, NOT_ENROLLED, FILE_LOCKED,
 * DATA_DIR_UNUSABLE and what enrolment throws.
 */
export async function runDaemon(options: DaemonOptions): Promise<'stopped' | 'removed' | 'replaced' | 'putBack'> {
  const { config, log, signal, clock = systemClock } = options;
  const { dataDir } = config;
  const state = createStateWriter(dataDir);
  const errors = createErrorMemory(clock);
  const health = createStoreHealth(clock, errors.note);
  const host = readHostInfo(AGENT_VERSION);
  const migrations = QUEUE_MIGRATIONS.length;
  const handedOver = new AbortController();
  let update: UpdateWatch;
  let mustRollBack = false;
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
      name: 'update',
      async start() {
        const { connectWithinMs } = config.updates;
        update = await watchUpdate({ dataDir, version: AGENT_VERSION, migrations, connectWithinMs, log });
      },
      async stop() {
        update.stop();
        if (mustRollBack) await update.rollBack();
      },
    },
    {
      name: 'identity',
      async start() {
        mustRollBack = update.isExhausted;
        if (mustRollBack) throw agentErrors.make('UPDATE_ROLLED_BACK');
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
        if (queue.setAside !== undefined) errors.note('QUEUE_DAMAGED');
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
      async start() {
        const { unknownChecks } = rounds;
        const self = { queue, site, health, errors, host, dataDir, unknownChecks, clock };
        healer = createHealer({
          orders: queue.orders,
          site,
          services,
          runChecks: rounds.runNow,
          diagnose: (clockOffsetMs) => diagnose(self, clockOffsetMs),
          onTrouble: errors.note,
          updater: updaterOf(options, () => identity.connect(config.applianceAddress ?? identity.applianceAddress)),
          onHandedOver: () => handedOver.abort(),
          clock,
          log,
        });
        if (update.left !== undefined) {
          healer.settle(update.left.orderId, update.left);
          await update.forget();
        }
        healer.recover(update.pendingOrderId);
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
          host,
          heartbeatIntervalMs: () => site.config.heartbeatIntervalMs,
          measure: meter.measure,
          ownFacts: () => ({ ...lossFacts(queue), ...diskFacts(health, dataDir) }),
          onWelcome() {
            rounds.welcomed();
            proven();
          },
          onConfig: (wire) => site.apply(wire),
          onOrder: (order, clockOffsetMs) => healer.submit(order, clockOffsetMs),
          onConnection({ connected, reason }) {
            if (!connected && reason !== 'closed') errors.note(`SESSION_${reason.toUpperCase()}`);
            tell(connected, reason);
          },
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
    const tooLate = update!.tooLate.then(() => 'tooLate' as const);
    const end = await Promise.race([
      push!,
      aborted(signal, 'stopped'),
      aborted(handedOver.signal, 'replaced'),
      tooLate,
    ]);
    if (end === 'removed') await noteRemoval();
    if (end !== 'tooLate') return end;
    mustRollBack = true;
    return 'putBack';
  } catch (error) {
    if (mustRollBack) return 'putBack';
    // A start that was called off is a stop.
    if (signal.aborted) return 'stopped';
    throw error;
  } finally {
    await lifecycle.stop();
    await state.settled();
  }

  function proven(): void {
    const end = update.connected();
    if (end === undefined) return;
    healer.settle(end.orderId, end);
    update.forget().catch((error: unknown) => log.error({ err: error }, 'the update is not forgotten yet'));
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

function aborted<E extends string>(signal: AbortSignal, end: E): Promise<E> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(end);
    else signal.addEventListener('abort', () => resolve(end), { once: true });
  });
}

function updaterOf({ config, configPath, log }: DaemonOptions, connect: () => AgentServiceClient): Updater {
  return createUpdater({
    dataDir: config.dataDir,
    configPath,
    version: AGENT_VERSION,
    migrations: QUEUE_MIGRATIONS.length,
    program: isSea() ? process.execPath : undefined,
    target: targetOf(process.platform, process.arch),
    publisherKey: publisherKey(),
    isAllowed: config.updates.allowed,
    connect,
    log,
  });
}
