import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOX_PATHS, nonceCommitment } from '@sitewarden/agent-proto/http';
import { makeNonce } from '@sitewarden/agent-proto/http-signature';
import { acquireLock, closeToOthers, ensureDir, type FileLock } from '@sitewarden/kit/files';
import { createLifecycle, type Lifecycle } from '@sitewarden/kit/lifecycle';
import type { Logger } from '@sitewarden/kit/log';
import { type Clock, systemClock } from '@sitewarden/kit/time';
import { createAgentAdmin } from './agents/index.ts';
import { createAssess } from './assess/index.ts';
import { boxFacts, createClaim, serialOf } from './claim/index.ts';
import { type ApplianceConfig, outboundProxy } from './config/index.ts';
import { createDiscovery } from './discovery/index.ts';
import { applianceErrors } from './errors.ts';
import { createEvidence } from './evidence/index.ts';
import { createHealing } from './healing/index.ts';
import { type Identity, identityFolder, loadIdentity, openVault, type Vault } from './identity/index.ts';
import { createInstallers } from './installers/index.ts';
import { createIntake } from './intake/index.ts';
import type { ApplianceContext } from './lib/context.ts';
import { createMetrics } from './lib/metrics.ts';
import { createRelayClient, type RelayClient } from './lib/relay-client.ts';
import { createRelayClock, type RelayClock } from './lib/relay-clock.ts';
import { LOCK_FILE, removeRunFile, writeRunFile } from './lib/run-file.ts';
import { createSignals } from './lib/signals.ts';
import { readSignedTime } from './lib/trust.ts';
import { applianceVersion, builtAtMs } from './lib/version.ts';
import { createWakeAccess } from './lib/wake-access.ts';
import { createLocal } from './local/index.ts';
import { createOutbox, type Outbox } from './outbox/index.ts';
import { createRelease, forgetSite, type LeftSite, type Release, readLeft, writeLeft } from './release/index.ts';
import { createRotation, type Rotation, settleEvidenceKey } from './rotation/index.ts';
import { createSecrets } from './secrets/index.ts';
import {
  createRetention,
  createRoom,
  createSiteFile,
  makeRoomToStart,
  type OpenedStore,
  openStore,
  state,
} from './store/index.ts';
import { createSelfChecks, createTelemetry } from './telemetry/index.ts';
import { createUplink, storeRelayKeys, type Uplink } from './uplink/index.ts';
import { createWake, type Wake } from './wake/index.ts';

export interface Appliance {
  readonly addresses: { readonly intakeAddress: string; readonly localUrl: string };
  /** Stops everything in reverse; idempotent. */
  close(): Promise<void>;
}

export interface ApplianceDeps {
  readonly log: Logger;
  readonly clock?: Clock;
}

const REOPEN_DELAY_MS = 1000;

interface Running {
  readonly lifecycle: Lifecycle;
  readonly addresses: Appliance['addresses'];
  readonly ports: { intake: number; local: number };
  closeStore(): void;
}

/**
 * The composition root: one process on one data folder. Throws FILE_LOCKED when another one is on it. When the disk fails
 * under the database everything is stopped, the database opened again, and the parts begin anew on the same ports:
 * nothing else can know what a failed sync has kept.
 */
export async function startAppliance(
  config: ApplianceConfig,
  { log, clock = systemClock }: ApplianceDeps,
): Promise<Appliance> {
  await ensureDir(config.dataDir, 0o700);
  await makeRoomToStart(config.dataDir);
  const lock: FileLock = acquireLock(join(config.dataDir, LOCK_FILE));
  // One for as long as the process lives: a database that is opened again must not forget the time.
  const boxClock = createRelayClock(clock, { notBeforeMs: builtAtMs() });
  let running: Running | undefined;
  let isClosing = false;
  let reopening: Promise<void> | undefined;
  let vault: Vault | undefined;
  /** The TPM is asked once: the keys may be read anew while it is away. */
  async function readIdentity(): Promise<Identity> {
    vault ??= await openVault({
      dir: identityFolder(config.dataDir),
      mode: config.identity.tpm,
      tcti: config.identity.tcti,
      onPlain: (why) => log.info({ why }, 'the keys are kept plain: there is no TPM'),
    });
    return loadIdentity({ dataDir: config.dataDir, publicHosts: config.intake.publicHost, vault });
  }

  const begin = async (identity: Identity, ports: Running['ports']) =>
    startParts(
      { ...config, intake: { ...config.intake, port: ports.intake }, local: { ...config.local, port: ports.local } },
      {
        log,
        clock: boxClock,
        identity,
        left: await readLeft(config.dataDir),
        readIdentity,
        onLeft: leave,
        onDiskFault(error) {
          log.error({ err: error }, 'the disk failed under the database, opening it again');
          beginAnew();
        },
        onKeyInForce() {
          log.info('every part begins anew with the new key');
          beginAnew();
        },
      },
    );

  /** The box belongs to nobody: it forgets the site and starts anew, on the same ports and under its own keys. */
  function leave(left: LeftSite): void {
    if (isClosing || reopening !== undefined) return;
    reopening = startAnew(left).finally(() => {
      reopening = undefined;
    });
  }

  async function startAnew(left: LeftSite): Promise<void> {
    try {
      await writeLeft(config.dataDir, left);
      const ports = await stopParts();
      await forgetSite(config.dataDir, log);
      running = await begin(await readIdentity(), ports);
    } catch (error) {
      // What is still to be forgotten is forgotten at the next start.
      log.error({ err: error }, 'the box could not start anew after it left its site');
      await reopenUntilItWorks();
    }
  }

  async function stopParts(): Promise<Running['ports']> {
    const ports = running?.ports ?? { intake: config.intake.port, local: config.local.port };
    await running?.lifecycle.stop();
    running?.closeStore();
    running = undefined;
    return ports;
  }

  function beginAnew(): void {
    if (isClosing || reopening !== undefined) return;
    reopening = reopenUntilItWorks().finally(() => {
      reopening = undefined;
    });
  }

  async function reopenUntilItWorks(): Promise<void> {
    const ports = await stopParts();
    while (!isClosing) {
      try {
        await forgetSite(config.dataDir, log);
        running = await begin(await readIdentity(), ports);
        return;
      } catch (error) {
        log.error({ err: error }, 'the database could not be opened, trying again');
        await new Promise((resolve) => setTimeout(resolve, REOPEN_DELAY_MS));
      }
    }
  }

  try {
    await closeKeys(config.dataDir, log);
    await forgetSite(config.dataDir, log);
    running = await begin(await readIdentity(), { intake: config.intake.port, local: config.local.port });
    const { addresses } = running;
    await writeRunFile(config.dataDir, { pid: process.pid, ...addresses });
    return {
      addresses,
      async close() {
        if (isClosing) return;
        isClosing = true;
        await reopening;
        await removeRunFile(config.dataDir);
        await running?.lifecycle.stop();
        running?.closeStore();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A copy or a backup brings keys back with the rights of any file. */
async function closeKeys(dataDir: string, log: Logger): Promise<void> {
  for (const { path, mode, error } of await closeToOthers(identityFolder(dataDir))) {
    if (error === undefined)
      log.warn(
        { path, mode },
        'other accounts had rights to this key file; they were taken away. Replace the key if they read it',
      );
    else
      log.error(
        { path, mode, err: error },
        'other accounts have rights to this key file, and they cannot be taken away',
      );
  }
}

interface PartDeps {
  readonly log: Logger;
  readonly clock: RelayClock;
  readonly identity: Identity;
  readonly left: LeftSite | undefined;
  readIdentity(): Promise<Identity>;
  onDiskFault(error: unknown): void;
  onKeyInForce(): void;
  onLeft(left: LeftSite): void;
}

/** Opens the store and starts every part, in the order of the data. */
async function startParts(config: ApplianceConfig, deps: PartDeps): Promise<Running> {
  const { log, clock, onDiskFault } = deps;
  const store = openStore(config.dataDir, clock.nowMs);
  if (store.setAside !== undefined) log.error(store.setAside, 'the database was damaged and is kept aside');
  const ctx: ApplianceContext = {
    db: store.db,
    clock,
    log,
    config,
    metrics: createMetrics(),
    signals: createSignals((error, signal) => log.error({ err: error, signal }, 'a listener failed')),
  };
  try {
    ctx.signals.on('diskFault', ({ error }) => onDiskFault(error));
    const isKeyNew = await settleEvidenceKey(store.db, deps.identity);
    const identity = isKeyNew ? await deps.readIdentity() : deps.identity;
    const { parts, intake, local } = wire(ctx, { ...deps, identity }, store);
    const lifecycle = createLifecycle(parts, { log });
    await lifecycle.start();
    const localUrl = local.url;
    const intakeHost = config.intake.host.includes(':') ? `[${config.intake.host}]` : config.intake.host;
    return {
      lifecycle,
      ports: { intake: intake.port, local: Number(new URL(localUrl).port) },
      addresses: { intakeAddress: `${intakeHost}:${intake.port}`, localUrl },
      closeStore: () => closeStore(store),
    };
  } catch (error) {
    closeStore(store);
    throw error;
  }
}

function closeStore({ db, marks }: OpenedStore): void {
  marks.close();
  db.close();
}

function wire(
  ctx: ApplianceContext,
  { identity, clock: relayClock, left, onLeft, onKeyInForce }: PartDeps,
  { marks, lostEvidence }: OpenedStore,
) {
  const { config, db } = ctx;
  const client = relayClient(ctx, identity, relayClock);
  const ca = readCa(config);
  const room = createRoom(ctx);
  const telemetry = createTelemetry(ctx);
  const evidence = createEvidence({
    ctx,
    evk: identity.evk,
    timeQuality: relayClock.quality,
    onTimeTrusted: relayClock.onTrusted,
    marks,
    lostEntries: lostEvidence,
    onKeyTurn: () => rotation.onKeyTurn(),
  });
  const serial =
    config.serial ?? state.get(db, 'kept_serial')?.serial ?? left?.serial ?? serialOf(config, identity.dik.fingerprint);
  const rotation: Rotation = createRotation({
    ctx,
    identity,
    client,
    evidence,
    serial,
    onInForce: onKeyInForce,
  });
  const outbox: Outbox = createOutbox({
    ctx,
    dik: identity.dik,
    client,
    isThin: () => room.isThin,
    checkpointNews: evidence.checkpointNews,
    evidenceThrough: evidence.doneThrough,
    onUnauthorized: (failure) => uplink.onUnauthorized(failure),
  });
  const installers = createInstallers(config.installers);
  const uplink: Uplink = createUplink({
    ctx,
    client,
    dikFingerprint: identity.dik.fingerprint,
    installers,
    host: telemetry.snapshot,
    lanes: outbox.snapshot,
    onAnswer({ drainRowsPerS, isReleasing, state: standing }) {
      wake.onCheckin(standing === 'active');
      if (isReleasing) release.begin();
      outbox.drain.setRate(drainRowsPerS);
      outbox.drain.setPaused(false);
      outbox.drain.retryNow();
      rotation.resume();
    },
    onRefused() {
      outbox.drain.setPaused(true);
      wake.onRefused();
    },
  });
  const wake: Wake = createWake({
    ctx,
    access: createWakeAccess({
      url: config.relay.url,
      ca,
      proxy: outboundProxy(config),
      relayClock,
      dikFingerprint: identity.dik.fingerprint,
      sign: identity.dik.signRequest,
      userAgent: userAgent(),
    }),
    follow: uplink.followWake,
  });
  function onMoveOver(): void {
    if (left === undefined) return;
    const { movesTo: _over, ...stays } = left;
    onLeft({ ...stays, isForgotten: false });
  }
  const claim = createClaim({ ctx, identity, client, ca, proxy: outboundProxy(config), left, onMoveOver, serial });
  const agents = createAgentAdmin(ctx, identity.siteCa);
  const release: Release = createRelease({ ctx, client, dik: identity.dik, agents, evidence, outbox, serial, onLeft });
  const intake = createIntake({ ctx, identity, room, marks, installers, certificateNowMs: relayClock.judgingNowMs });
  const discovery = createDiscovery(ctx);
  const services = {
    identity: {
      serial,
      model: config.model,
      version: applianceVersion(),
      fingerprint: identity.dik.fingerprint,
      keyStorage: identity.storage,
    },
    claim,
    keys: rotation,
    secrets: createSecrets(ctx, identity.seal),
    uplink,
    wake,
    outbox,
    evidence,
    discovery,
    installers,
    agents,
  };
  const local = createLocal(ctx, { services, telemetry });
  const parts = [
    room,
    createSiteFile(ctx),
    createRetention({ db, clock: relayClock, log: ctx.log }),
    createAssess(ctx),
    createHealing(ctx),
    evidence,
    outbox,
    intake,
    discovery,
    createSelfChecks(ctx),
    rotation,
    local,
    claim,
    uplink,
    wake,
    release,
  ];
  return { parts, intake, local };
}

/** Throws CONFIG_INVALID. */
function readCa({ relay }: ApplianceConfig): string | undefined {
  if (relay.caFile === undefined) return undefined;
  try {
    const pem = readFileSync(relay.caFile, 'utf8');
    new X509Certificate(pem);
    return pem;
  } catch (cause) {
    const what = (cause as NodeJS.ErrnoException).syscall === undefined ? 'holds no certificate in PEM' : 'is not read';
    const detail = `relay.caFile: ${relay.caFile} ${what} (${(cause as NodeJS.ErrnoException).code})`;
    throw applianceErrors.make('CONFIG_INVALID', { field: 'relay.caFile', detail, cause });
  }
}

const userAgent = (): string => `sitewarden-appliance/${applianceVersion()}`;

function relayClient(ctx: ApplianceContext, identity: Identity, relayClock: RelayClock): RelayClient {
  const { clock, config, db, log } = ctx;
  return createRelayClient({
    url: config.relay.url,
    ca: readCa(config),
    proxy: outboundProxy(config),
    clock,
    relayClock,
    sign: identity.dik.signRequest,
    userAgent: userAgent(),
    hasRelayKeys: () => state.relayKeys(db) !== undefined,
    takeRelayKeys: (envelope) => storeRelayKeys(ctx, envelope, config.relay.rootKey),
    timeProbe() {
      if (state.get(db, 'claim')?.phase === 'claimed') return { method: 'GET', path: BOX_PATHS.orders };
      const body = { ...boxFacts(config, identity), commitment: nonceCommitment(makeNonce()) };
      return { method: 'POST', path: BOX_PATHS.provisionStart, body: JSON.stringify(body) };
    },
    readSignedTime(envelope, nonce) {
      const keys = state.relayKeys(db);
      if (keys === undefined) return undefined;
      try {
        return readSignedTime(envelope, keys, nonce);
      } catch (error) {
        log.warn({ why: (error as Error).message }, "the relay's signed time does not hold");
        return undefined;
      }
    },
  });
}
