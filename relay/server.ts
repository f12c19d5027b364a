import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { acquireLock, ensureDir } from '@sitewarden/kit/files';
import { createLogger, type Logger } from '@sitewarden/kit/log';
import { type Clock, systemClock } from '@sitewarden/kit/time';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { createBoxDirectory, createStaffSessions } from './accounts/index.ts';
import { createApp } from './app.ts';
import { createBoxProof } from './box-proof/index.ts';
import { createNewestToken } from './checkin/index.ts';
import { purgeExpired } from './claim/purge.ts';
import { type RelayConfig, readSecret, relayHost } from './config/index.ts';
import { relayErrors } from './errors.ts';
import { rollUp } from './history/index.ts';
import { loadKeyring } from './keys/index.ts';
import { createLiveBus, createStreamPlaces, startStatusWatch } from './live/index.ts';
import { createSightingBook } from './quarantine/index.ts';
import type { Services } from './routes/context.ts';
import type { Guard } from './routes/register.ts';
import { type CheckReport, openStore, storeOptions } from './store/index.ts';
import { createWakeService } from './wake/index.ts';

/** About a second for each gigabyte in memory; service managers wait longer than this for a start. */
const CHECK_WITHIN_MS = 20_000;
const PURGE_EVERY_MS = 3_600_000;
/** A check-in is one row; what it adds to history is written this often, a row a box. */
const ROLL_UP_EVERY_MS = 5 * 60_000;
const SIGHTINGS_EVERY_MS = 15_000;
const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this host does not have that address',
  ENOTFOUND: 'this name has no address',
  EACCES: 'this user may not use that port',
};

export interface RunningRelay {
  /** Where it listens. */
  readonly url: string;
  /** What boxes and people are told to use. */
  readonly publicUrl: string;
  /** Of MQTT over TLS, when it has a port of its own. */
  readonly wakeTlsPort: number | undefined;
  readonly services: Services;
  readonly app: FastifyInstance;
  close(): Promise<void>;
}

export interface StartOptions {
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly guard?: Guard;
}

/** Opens the store, binds the port and serves. Everything opened is closed again when one step fails. */
export async function startRelay(config: RelayConfig, options: StartOptions = {}): Promise<RunningRelay> {
  const log = options.log ?? createLogger({ name: 'sitewarden-relay', level: config.logLevel });
  const clock = options.clock ?? systemClock;
  const undo: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const keyFolder = { dataDir: config.dataDir, host: relayHost(config) };
    // Without keys this is not a relay's folder: none is made where somebody mistyped its name.
    await loadKeyring(keyFolder);
    await ensureDir(config.dataDir);
    if (config.store.kind === 'sqlite') {
      const lock = acquireLock(join(config.dataDir, 'relay.lock'));
      undo.push(() => lock.release());
    }
    // Under the lock once more: a step of a key change may just have ended.
    const keys = await loadKeyring(keyFolder);
    const kept = await storeOptions(config);
    const reports: CheckReport[] = [];
    const check = { withinMs: CHECK_WITHIN_MS, onDone: (report: CheckReport) => void reports.push(report) };
    // Damage is found before anything is written on top of it.
    const store = await openStore(kept.kind === 'sqlite' ? { ...kept, check } : kept, (error) =>
      log.error({ err: error }, 'store fault'),
    );
    undo.push(() => store.close());

    let listeningUrl = '';
    const metrics = new Registry();
    const boxes = createBoxDirectory(store);
    const proof = createBoxProof({ boxes, clock, keys, store });
    const publicUrl = () => config.publicUrl ?? listeningUrl;
    const wakes = createWakeService({
      config: config.wake,
      opensPerMinute: config.limits.boxRequestsPerMinute,
      boxes,
      proof,
      clock,
      log,
      metrics,
      publicUrl,
      onChanged: boxes.onForget,
    });
    const services: Services = {
      config,
      clock,
      store,
      keys,
      metrics,
      publicUrl,
      live: createLiveBus(),
      streams: createStreamPlaces(config.limits.eventStreams),
      boxes,
      proof,
      newestToken: createNewestToken({ store, clock, keys, metrics }),
      sessions: createStaffSessions(store),
      sightings: createSightingBook(store),
      wakes,
      metricsToken: await metricsToken(config),
    };
    const app = await createApp(services, { log, ...(options.guard ? { guard: options.guard } : {}) });
    undo.push(() => app.close());
    // Open event streams would keep the server from closing.
    undo.push(() => services.live.close());
    // So would connections that wait for wakes.
    undo.push(() => wakes.close());
    await wakes.open();
    await listen(app, config.listen);
    listeningUrl = urlOf(app.server.address() as AddressInfo);
    // Not before: a start that fails says only why.
    for (const report of reports) logCheck(log, report);

    const watch = startStatusWatch({
      store,
      bus: services.live,
      nowMs: () => clock.nowMs(),
      onError: (error) => log.error({ err: error }, 'status watch failed'),
    });
    undo.push(() => watch.stop());
    const regularly = (what: string, everyMs: number, work: () => Promise<void>) => {
      const timer = setInterval(() => {
        work().catch((error: unknown) => log.error({ err: error }, `${what} failed`));
      }, everyMs);
      timer.unref();
      undo.push(() => clearInterval(timer));
    };
    regularly('purge', PURGE_EVERY_MS, () => purgeExpired(store, clock.nowMs()));
    regularly('roll-up', ROLL_UP_EVERY_MS, () => rollUp(store, clock.nowMs()));
    regularly('sightings', SIGHTINGS_EVERY_MS, services.sightings.flush);
    return {
      url: listeningUrl,
      publicUrl: publicUrl(),
      wakeTlsPort: wakes.tlsPort,
      services,
      app,
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function logCheck(log: Logger, { tookMs, leftOut }: CheckReport): void {
  if (leftOut.length === 0) log.info({ tookMs }, 'the database was checked: no damage found');
  else log.warn({ tookMs, leftOut }, 'no damage found, but the time ran out before these tables were checked');
}

/** Throws LISTEN_FAILED naming the field at fault and the address. */
async function listen(app: FastifyInstance, { host, port }: RelayConfig['listen']): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall !== 'listen' && syscall !== 'getaddrinfo') throw cause;
    const field = code === 'EADDRINUSE' || code === 'EACCES' ? 'listen.port' : 'listen.host';
    const why = LISTEN_FAULTS[code ?? ''] ?? code;
    throw relayErrors.make('LISTEN_FAILED', { field, detail: `${host} port ${port}: ${why}`, cause });
  }
}

async function metricsToken({ metricsTokenFile }: RelayConfig): Promise<string | undefined> {
  return metricsTokenFile === undefined ? undefined : readSecret(metricsTokenFile, 'metricsTokenFile');
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
