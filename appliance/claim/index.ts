import type { ProvisionAnswer } from '@sitewarden/agent-proto/http';
import { makeNonce } from '@sitewarden/agent-proto/http-signature';
import { nextDelayMs, RETRY_SCHEDULES } from '@sitewarden/kit/backoff';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { type DoctorLine, runDoctor } from '../doctor/index.ts';
import { type ApplianceErrorCode, applianceErrors } from '../errors.ts';
import type { Identity } from '../identity/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import type { OutboundProxy } from '../lib/proxy.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { RelayFailure } from '../lib/relay-failure.ts';
import { shownError } from '../lib/shown-error.ts';
import { state } from '../store/index.ts';
import type { ClaimedSiteState, ClaimSession, ClaimState } from '../store/state-types.ts';
import { boxFacts } from './box-facts.ts';
import { parseCode } from './parse-code.ts';
import { createClaimCalls } from './relay-calls.ts';
import { storeGrant } from './store-grant.ts';
import { createDoctorTeller } from './tell-doctor.ts';

export { boxFacts, serialOf } from './box-facts.ts';
export { type CodeForm, parseCode } from './parse-code.ts';

export interface ClaimSnapshot {
  readonly phase: 'no_relay' | 'showing' | 'claimed' | 'approved' | 'rejected' | 'done';
  readonly claimUrl: string | null;
  readonly number: string | null;
  readonly expiresAtMs: number | null;
  readonly error: { readonly code: string; readonly message: string; readonly atMs: number } | null;
  readonly site: Omit<ClaimedSiteState, 'codeId' | 'relayHost'> | null;
  readonly doctor: readonly DoctorLine[];
  /** The site this box was released from, while it has no other; null when it never left one. */
  readonly left: {
    readonly siteName: string;
    readonly by: string;
    readonly reason: string;
    readonly atMs: number;
    /** The site it moves to; null: it belongs to nobody. */
    readonly movesTo: string | null;
  } | null;
}

export interface Claim extends LifecyclePart {
  snapshot(): ClaimSnapshot;
  /** Presents what a person typed or scanned. Rejects with a coded error whose message says the next step. */
  claimWithCode(text: string): Promise<ClaimSnapshot>;
}

export interface ClaimOptions {
  readonly ctx: ApplianceContext;
  readonly identity: Identity;
  readonly client: RelayClient;
  /** PEM of the CA the relay's certificate must come from; default: the system's. */
  readonly ca?: string | undefined;
  readonly proxy?: OutboundProxy | undefined;
  readonly left?: (Omit<NonNullable<ClaimSnapshot['left']>, 'movesTo'> & { readonly movesTo?: string }) | undefined;
  /**
   * Nobody expects the box where it was sent: it belongs to nobody, and whoever had it may have kept copies of its keys.
   * Told once; no claim goes on after it.
   */
  onMoveOver?(): void;
  /** Default: made of what there is. */
  readonly serial?: string;
  readonly random?: () => number;
}

const REJECTED_PAUSE_MS = 30_000;
const MIN_POLL_MS = 500;
const UNCLAIMED: ClaimState = { phase: 'unclaimed', codeNonce: null };

/** Finds the box its site: shows a code, takes a code, polls, stores the grant, acknowledges. One claim at a time. */
export function createClaim({
  ctx,
  identity,
  client,
  ca,
  proxy,
  left,
  onMoveOver,
  serial,
  random = Math.random,
}: ClaimOptions): Claim {
  const { db, clock, log, config, signals } = ctx;
  const facts = boxFacts(config, identity, serial);
  const dikFingerprint = identity.dik.fingerprint;
  const calls = createClaimCalls(client, { facts, rootKey: config.relay.rootKey, dikFingerprint });
  const examine = () =>
    runDoctor({
      relayOrigin: client.origin,
      rootKey: config.relay.rootKey,
      ca,
      proxy,
      dataDir: config.dataDir,
      nowMs: client.clock.systemNowMs,
    });
  const teller = createDoctorTeller({ calls, clock, log, examine });
  const shownLeft =
    left === undefined
      ? null
      : {
          siteName: left.siteName,
          by: left.by,
          reason: left.reason,
          atMs: left.atMs,
          movesTo: left.movesTo ?? null,
        };
  let relayState: ProvisionAnswer['state'] | undefined;
  let lastError: ClaimSnapshot['error'] = null;
  let doctor: readonly DoctorLine[] = [];
  let failures = 0;
  let isOn = false;
  let isPresenting = false;
  let isMoveOver = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const current = (): ClaimState => state.get(db, 'claim') ?? UNCLAIMED;
  const save = (value: ClaimState) => state.set(db, 'claim', { value, atMs: clock.nowMs() });

  async function openSession(): Promise<number> {
    const { session, pollAfterMs, keys, keysEnvelope } = await calls.start();
    state.set(db, 'relay_keys', { value: { keys, envelope: keysEnvelope }, atMs: clock.nowMs() });
    const now = current();
    // A code may have been presented meanwhile; its session is the better one.
    if (now.phase === 'unclaimed') save({ ...now, phase: 'session', session });
    relayState = 'started';
    return pollAfterMs;
  }

  /** What the relay says of the session leads on; answers how long to wait before asking again. */
  function onAnswer(session: ClaimSession, answer: ProvisionAnswer): number {
    relayState = answer.state;
    // To one that is expected the first answer after the start is its claim.
    if (left?.movesTo !== undefined && (answer.state === 'started' || answer.state === 'rejected')) {
      isMoveOver = true;
      log.warn({ movesTo: left.movesTo }, 'nobody expects the box where it was to move: it makes its keys anew');
      onMoveOver?.();
      return REJECTED_PAUSE_MS;
    }
    if (answer.grant !== undefined) {
      storeGrant(ctx, { grant: answer.grant, session: session.session, facts, dikFingerprint });
      log.info({ siteId: answer.grant.siteId }, 'grant stored');
      return 0;
    }
    if (answer.state === 'rejected') {
      save(UNCLAIMED);
      noteError(applianceErrors.make('CLAIM_REJECTED'));
      return REJECTED_PAUSE_MS;
    }
    if (answer.state === 'expired') {
      save(UNCLAIMED);
      return 0;
    }
    return answer.pollAfterMs;
  }

  async function poll(session: ClaimSession): Promise<number> {
    try {
      return onAnswer(session, await calls.status(session));
    } catch (error) {
      if (!isSessionGone(error)) throw error;
      log.info('the claim session is over, opening another');
      save(UNCLAIMED);
      return 0;
    }
  }

  async function acknowledge({ session, site }: Extract<ClaimState, { phase: 'granted' }>): Promise<number> {
    const configGeneration = state.siteConfig(db)?.generation ?? 0;
    try {
      await calls.acknowledge({ session, applianceId: site.applianceId, configGeneration });
    } catch (error) {
      // The relay forgets sessions after a while; a box it does not know is told so at its first check-in.
      if (!(error instanceof RelayFailure) || error.code !== 'SESSION_UNKNOWN') throw error;
    }
    save({ phase: 'claimed', site });
    log.info({ applianceId: site.applianceId, siteId: site.siteId }, 'the box belongs to a site');
    for (const signal of ['claimed', 'config', 'change'] as const) signals.emit(signal);
    return 0;
  }

  function step(): Promise<number> {
    const claim = current();
    if (claim.phase === 'granted') return acknowledge(claim);
    return claim.phase === 'session' ? poll(claim.session) : openSession();
  }

  function noteError(error: unknown): void {
    const { code, message, isExpected } = shownError(error);
    lastError = { code, message, atMs: clock.nowMs() };
    log.warn({ code, ...(isExpected ? {} : { err: error }) }, 'the claim did not go on');
  }

  async function turn(): Promise<number> {
    try {
      const waitMs = await step();
      failures = 0;
      if (relayState !== 'rejected') lastError = null;
      doctor = [];
      const claim = current();
      if (claim.phase === 'session') teller.wake(claim.session.session);
      return waitMs;
    } catch (error) {
      noteError(error);
      const { retryAfterMs } = error instanceof RelayFailure ? error : {};
      const delayMs = nextDelayMs({ ...RETRY_SCHEDULES.relay, attempt: failures, random, floorMs: retryAfterMs });
      failures += 1;
      doctor = await examine();
      return delayMs;
    }
  }

  function plan(delayMs: number): void {
    clearTimeout(timer);
    if (isOn && current().phase !== 'claimed') timer = setTimeout(begin, Math.max(MIN_POLL_MS, delayMs));
  }

  function begin(): void {
    clearTimeout(timer);
    if (!isOn || running !== undefined || isPresenting || isMoveOver || current().phase === 'claimed') return;
    let delayMs = REJECTED_PAUSE_MS;
    running = turn()
      .then((ms) => {
        delayMs = ms;
      })
      .catch((error: unknown) => log.error({ err: error }, 'the claim failed inside'))
      .finally(() => {
        running = undefined;
        plan(delayMs);
      });
  }

  /** Kept until the claim is over: the relay answers a repeated code by the nonce it was first presented with. */
  function codeNonce(): string {
    const claim = current();
    if (claim.phase !== 'unclaimed' && claim.phase !== 'session') throw applianceErrors.make('ALREADY_CLAIMED');
    const nonce = claim.codeNonce ?? makeNonce();
    save({ ...claim, codeNonce: nonce });
    return nonce;
  }

  async function claimWithCode(text: string): Promise<ClaimSnapshot> {
    const phase = current().phase;
    if (phase === 'claimed' || phase === 'granted') throw applianceErrors.make('ALREADY_CLAIMED');
    const code = parseCode(text, relayHosts());
    if (isPresenting) throw applianceErrors.make('CLAIM_BUSY');
    isPresenting = true;
    try {
      await running;
      if (left?.movesTo !== undefined) await settleMove();
      const { session, answer } = await calls.present(code, codeNonce());
      const nonce = session.boxNonce;
      save({ phase: 'session', session, codeNonce: nonce });
      lastError = null;
      onAnswer(session, answer);
    } catch (error) {
      throw asClaimError(error);
    } finally {
      isPresenting = false;
      begin();
    }
    return snapshot();
  }

  /** Before it gives its keys to whoever has a code: is it still on its way? */
  async function settleMove(): Promise<void> {
    if (!isMoveOver && current().phase === 'unclaimed') await openSession();
    const claim = current();
    if (!isMoveOver && claim.phase === 'session') await poll(claim.session);
    if (isMoveOver) throw applianceErrors.make('CLAIM_BUSY', { detail: 'The box makes its keys anew; try again then' });
  }

  function relayHosts(): string[] {
    const signed = state.relayKeys(db)?.host;
    return [new URL(client.origin).host, ...(signed === undefined ? [] : [signed])];
  }

  function snapshot(): ClaimSnapshot {
    const claim = current();
    const nothing = { claimUrl: null, number: null, expiresAtMs: null, site: null, left: shownLeft };
    if (claim.phase === 'claimed' || claim.phase === 'granted') {
      const { codeId: _code, relayHost: _host, ...site } = claim.site;
      const isDone = claim.phase === 'claimed';
      return {
        ...nothing,
        left: null,
        phase: isDone ? 'done' : 'approved',
        error: isDone ? null : lastError,
        site,
        doctor,
      };
    }
    if (claim.phase === 'unclaimed') {
      const phase = relayState === 'rejected' ? 'rejected' : 'no_relay';
      return { ...nothing, phase, error: lastError, doctor };
    }
    const { claimUrl, number, expiresAtMs } = claim.session;
    const phase = relayState === 'claimed' || claimUrl === null ? 'claimed' : 'showing';
    return {
      ...nothing,
      phase,
      number,
      claimUrl: phase === 'showing' ? claimUrl : null,
      expiresAtMs: phase === 'showing' ? expiresAtMs : null,
      error: lastError,
      doctor,
    };
  }

  return {
    name: 'claim',
    start() {
      isOn = true;
      begin();
    },
    async stop() {
      isOn = false;
      clearTimeout(timer);
      client.close();
      await Promise.all([running, teller.settled()]);
    },
    snapshot,
    claimWithCode,
  };
}

function isSessionGone(error: unknown): boolean {
  const code = error instanceof RelayFailure ? error.code : '';
  return code === 'SESSION_UNKNOWN' || code === 'COMMITMENT_MISMATCH' || code === 'KEYS_MISMATCH';
}

/** The relay's refusals of a code are our own codes too: same name, same next step. */
function asClaimError(error: unknown): unknown {
  if (!(error instanceof RelayFailure)) return error;
  const isOurs = Object.hasOwn(applianceErrors.table, error.code);
  const code = isOurs ? (error.code as ApplianceErrorCode) : 'RELAY_REFUSED';
  return applianceErrors.make(code, { cause: error, detail: isOurs ? undefined : error.message });
}
