import {
  BOX_PATHS,
  type CheckinResponse,
  ConfigResponse,
  closed,
  compile,
  EnvelopeText,
  type Lane,
} from '@sitewarden/agent-proto/http';
import type { WakeReason } from '@sitewarden/agent-proto/wake';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { withTransaction } from '@sitewarden/kit/sqlite';
import type { Installers } from '../installers/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { lazily } from '../lib/lazily.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { RelayFailure } from '../lib/relay-failure.ts';
import { shownError } from '../lib/shown-error.ts';
import { noteLoss, state } from '../store/index.ts';
import type { CheckinHeardState } from '../store/state-types.ts';
import { openChainFile } from './chain-file.ts';
import { createCheckin } from './checkin.ts';
import type { HostState } from './checkin-body.ts';
import { createOrderProgress } from './order-progress.ts';
import { createOrderTaker } from './orders.ts';
import { storeRelayKeys } from './relay-keys.ts';
import { nextCheckinDelayMs, retryCheckinDelayMs } from './schedule.ts';
import { applyConfig, type ConfigOwner } from './site-config.ts';

export { glanceAtChain, readRefusal } from './chain-file.ts';
export { ORDER_REFUSALS } from './plan-order.ts';
export { storeRelayKeys } from './relay-keys.ts';
export { type SignedConfig, storeConfig, type VerifiedConfig, verifyConfig } from './site-config.ts';

export interface UplinkSnapshot {
  /** idle: not claimed. stopped: the relay refused this box; it goes on serving its site. */
  readonly state: 'idle' | 'ok' | 'retrying' | 'stopped';
  readonly relay: string;
  readonly lastCheckinAtMs: number | null;
  readonly nextCheckinAtMs: number | null;
  readonly lastError: { readonly code: string; readonly message: string; readonly atMs: number } | null;
  readonly configGeneration: number;
  readonly isQuarantined: boolean;
  /** Since when the box does not know its last token any more; null again once the relay takes it as itself. */
  readonly chainLostAtMs: number | null;
  /** How far the relay's time is ahead of a clock that NTP keeps; null when they agree or nobody can tell. */
  readonly relayAheadMs: number | null;
}

export interface Uplink extends LifecyclePart {
  snapshot(): UplinkSnapshot;
  /** Checks in now, whatever the plan was. */
  checkinNow(): void;
  /**
   * Asks for orders, or checks in, because the relay says that there is something. Only while the relay answers: a plan
   * made after a failure stands. Answers how long to leave the relay alone when it refused.
   */
  followWake(why: WakeReason): Promise<number | undefined>;
  /** The relay refused this box somewhere else: phone rarely from here on. */
  onUnauthorized(failure: RelayFailure): void;
}

export interface UplinkOptions {
  readonly ctx: ApplianceContext;
  readonly client: RelayClient;
  readonly dikFingerprint: string;
  readonly installers: Pick<Installers, 'read'>;
  readonly host: () => Promise<HostState & { readonly isClockSynced: boolean }>;
  readonly lanes: () => Readonly<Record<Lane, { depth: number; oldestAgeMs: number }>>;
  /** The relay answered: the outbox learns its rate, and that the line stands. */
  onAnswer(answer: CheckinResponse): void;
  onRefused(): void;
  readonly random?: () => number;
}

/** Right after the claim, and after a repeated answer, the next one follows soon. */
const SOON_MS = 1000;
/** After a request that a wake led to was refused; the check-in goes on as planned and finds out what is wrong. */
const WAKE_HOLD_MS = 30_000;

const CONFIG_REQUEST = { method: 'GET', path: BOX_PATHS.config, isTokenAsked: true } as const;
/** Two check-ins because a token was refused are at least this far apart. */
const HURRY_EVERY_MS = 6000;

const RelayKeysAnswer = closed({ relayKeys: EnvelopeText });

/** Phones home: one check-in after the other, and what their answers ask for. */
export function createUplink(options: UplinkOptions): Uplink {
  const { ctx, client, installers, random = Math.random } = options;
  const { db, clock, log, metrics, config } = ctx;
  const chain = openChainFile(config.dataDir, {
    nowMs: () => Math.max(0, Math.round(clock.nowMs())),
    wasHeard: ({ applianceId, epoch }) => isSame(state.get(db, 'checkin_heard'), { applianceId, epoch }),
    onDamaged(isLost) {
      if (!isLost) {
        log.warn('one of the two copies of the check-in chain was damaged; it is written anew');
        return;
      }
      log.error('the check-in chain of this box is lost; the relay will take it for a copy until an admin releases it');
      const text =
        'The file with the last check-in token was damaged or is gone. The relay cannot tell this box from a copy of it.';
      const loss = { what: 'checkin_chain', count: null, code: 'CHECKIN_CHAIN_LOST', text } as const;
      withTransaction(db, () => noteLoss(db, { ...loss, atMs: clock.nowMs() }));
      ctx.signals.emit('change');
    },
  });
  const checkin = createCheckin({ ctx, client, chain, host: options.host, lanes: options.lanes });
  client.useCheckinTokens({ token: () => chain.last?.token ?? null, onCheckinFirst });
  const orders = createOrderTaker(ctx, client, installers);
  const progress = createOrderProgress(ctx);
  const configValidator = lazily(() => compile(ConfigResponse));
  const keysValidator = lazily(() => compile(RelayKeysAnswer));
  let phase: UplinkSnapshot['state'] = 'idle';
  let lastError: UplinkSnapshot['lastError'] = null;
  let attempt = 0;
  let timer: NodeJS.Timeout | undefined;
  let nextAtMs: number | null = null;
  let running: Promise<void> | undefined;
  let isOn = false;
  let hurriedAtMs = Number.NEGATIVE_INFINITY;
  let isHurried = false;
  let off: () => void = () => {};

  function owner(): ConfigOwner | undefined {
    const claim = state.get(db, 'claim');
    if (claim?.phase !== 'claimed') return undefined;
    const { applianceId, epoch } = claim.site;
    return { rootKey: config.relay.rootKey, dikFingerprint: options.dikFingerprint, applianceId, epoch };
  }

  async function fetchConfig(): Promise<void> {
    const to = owner();
    if (to !== undefined) applyConfig(ctx, await client.sendJson(CONFIG_REQUEST, configValidator()), to);
  }

  /** The relay changes its keys: the root signs the new list, so a box that missed any number of changes learns them here. */
  async function refreshRelayKeys({ relayKeysGeneration }: CheckinResponse): Promise<void> {
    const known = state.relayKeys(db);
    if (relayKeysGeneration === undefined || relayKeysGeneration <= (known?.generation ?? -1)) return;
    const { relayKeys } = await client.sendJson({ method: 'GET', path: BOX_PATHS.relayKeys }, keysValidator());
    storeRelayKeys(ctx, relayKeys, config.relay.rootKey);
  }

  async function follow(answer: CheckinResponse): Promise<void> {
    await refreshRelayKeys(answer);
    // Two boxes with one identity: neither gets settings or orders until staff have decided.
    if (answer.state !== 'active') return;
    if (answer.configGeneration > (state.siteConfig(db)?.generation ?? 0)) await fetchConfig();
    if (answer.pendingOrders > 0) await orders.fetch();
  }

  function note(error: unknown): void {
    const { code, message, isExpected } = shownError(error);
    lastError = { code, message, atMs: clock.nowMs() };
    log.warn({ code, attempt, ...(isExpected ? {} : { err: error }) }, 'the relay could not be worked with');
  }

  /** After the chain is on disk: a crash in between leaves a chain that nobody misses. */
  function noteHeard({ applianceId, epoch }: ConfigOwner): void {
    const heard = { applianceId, epoch };
    if (isSame(state.get(db, 'checkin_heard'), heard)) return;
    state.set(db, 'checkin_heard', { value: heard, atMs: clock.nowMs() });
    ctx.signals.emit('heard');
  }

  async function turn(site: ConfigOwner): Promise<number> {
    try {
      const { answer, isRepeat } = await checkin.once(site);
      noteHeard(site);
      attempt = 0;
      phase = 'ok';
      lastError = null;
      metrics.uplinkCheckins.inc({ result: 'ok' });
      metrics.uplinkLastCheckin.set(clock.nowMs() / 1000);
      options.onAnswer(answer);
      await follow(answer).catch(note);
      if (isRepeat || takeHurry()) return SOON_MS * (1 + random());
      return nextCheckinDelayMs({ relayMs: answer.nextCheckinMs, configuredMs: config.checkin.intervalMs, random });
    } catch (error) {
      note(error);
      return afterFailure(error instanceof RelayFailure ? error : undefined);
    }
  }

  /** The relay wants a newer token than it was shown: the plan is brought forward, while the relay answers at all. */
  function onCheckinFirst(): void {
    const nowMs = clock.monotonicMs();
    if (phase !== 'ok' || nowMs - hurriedAtMs < HURRY_EVERY_MS) return;
    hurriedAtMs = nowMs;
    isHurried = running !== undefined;
    begin();
  }

  /** Whether that happened while a check-in was under way. */
  function takeHurry(): boolean {
    const was = isHurried;
    isHurried = false;
    return was;
  }

  function afterFailure(failure: RelayFailure | undefined): number {
    const kind = failure?.kind ?? 'ambiguous';
    metrics.uplinkCheckins.inc({ result: failure?.code ?? 'INTERNAL' });
    phase = kind === 'unauthorized' ? 'stopped' : 'retrying';
    if (kind === 'unauthorized') options.onRefused();
    const { retryAfterMs } = failure ?? {};
    const delayMs = retryCheckinDelayMs({
      kind,
      attempt,
      retryAfterMs,
      configuredMs: config.checkin.intervalMs,
      random,
    });
    attempt += 1;
    return delayMs;
  }

  function plan(delayMs: number): void {
    clearTimeout(timer);
    if (!isOn) return;
    nextAtMs = clock.nowMs() + delayMs;
    timer = setTimeout(begin, delayMs);
  }

  function begin(): void {
    clearTimeout(timer);
    const site = owner();
    if (!isOn || running !== undefined || site === undefined) return;
    nextAtMs = null;
    let delayMs = config.checkin.intervalMs;
    running = turn(site)
      .then((ms) => {
        delayMs = ms;
      })
      .catch((error: unknown) => log.error({ err: error }, 'a check-in failed inside'))
      .finally(() => {
        running = undefined;
        plan(delayMs);
      });
  }

  function onUnauthorized(failure: RelayFailure): void {
    note(failure);
    if (phase === 'stopped') return;
    // The next check-in decides; until it is refused too, this is only a suspicion.
    plan(SOON_MS);
  }

  async function followWake(why: WakeReason): Promise<number | undefined> {
    // One under way may have been answered before there was anything.
    await running;
    // The check-in that is planned finds whatever there is.
    if (!isOn || phase !== 'ok') return undefined;
    if (why === 'config') {
      begin();
      await running;
      return undefined;
    }
    try {
      if (!(chain.last?.isQuarantined ?? true)) await orders.fetch();
      return undefined;
    } catch (error) {
      const failure = error instanceof RelayFailure ? error : undefined;
      if (failure?.kind === 'unauthorized') onUnauthorized(failure);
      else note(error);
      const isToldOff = failure?.kind === 'busy' || failure?.kind === 'unauthorized';
      return isToldOff ? Math.max(WAKE_HOLD_MS, failure.retryAfterMs ?? 0) : undefined;
    }
  }

  return {
    name: 'uplink',
    async start() {
      isOn = true;
      const site = owner();
      if (site !== undefined) await chain.load(site);
      await progress.start();
      off = ctx.signals.on('claimed', begin);
      begin();
    },
    async stop() {
      isOn = false;
      clearTimeout(timer);
      off();
      client.close();
      await running;
      await progress.stop();
    },
    checkinNow: begin,
    followWake,
    onUnauthorized,
    snapshot() {
      const known = owner() === undefined ? undefined : chain.last;
      return {
        state: owner() === undefined ? 'idle' : phase === 'idle' ? 'retrying' : phase,
        relay: client.origin,
        lastCheckinAtMs: known?.lastCheckinAtMs ?? null,
        nextCheckinAtMs: nextAtMs,
        lastError,
        configGeneration: state.siteConfig(db)?.generation ?? 0,
        isQuarantined: known?.isQuarantined ?? false,
        chainLostAtMs: known?.lostAtMs ?? null,
        relayAheadMs: client.clock.relayAheadMs(),
      };
    },
  };
}

const isSame = (known: CheckinHeardState | undefined, heard: CheckinHeardState): boolean =>
  known?.applianceId === heard.applianceId && known.epoch === heard.epoch;
