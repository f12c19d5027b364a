import { BOX_PATHS, CheckinResponse, compile, type Lane } from '@sitewarden/agent-proto/http';
import { makeNonce } from '@sitewarden/agent-proto/http-signature';
import type { ApplianceContext } from '../lib/context.ts';
import { lazily } from '../lib/lazily.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { RelayFailure } from '../lib/relay-failure.ts';
import { applianceVersion, osVersion } from '../lib/version.ts';
import type { ClaimedSiteState } from '../store/state-types.ts';
import type { ChainFile, ChainState, Refusal } from './chain-file.ts';
import { checkinBody, type HostState } from './checkin-body.ts';

const TIME_EVERY_MS = 3_600_000;

export interface CheckinDeps {
  readonly ctx: ApplianceContext;
  readonly client: RelayClient;
  readonly chain: ChainFile;
  readonly host: () => Promise<HostState & { readonly isClockSynced: boolean }>;
  readonly lanes: () => Readonly<Record<Lane, { depth: number; oldestAgeMs: number }>>;
}

export interface Checkin {
  /** One check-in. `isRepeat`: it said what an earlier one without an answer had said. Rejects with RelayFailure. */
  once(site: Pick<ClaimedSiteState, 'applianceId' | 'epoch'>): Promise<{ answer: CheckinResponse; isRepeat: boolean }>;
}

/** The same body again may have been heard and must not differ; after these it certainly was not. */
const NOT_HEARD = new Set<RelayFailure['kind']>(['unsent', 'clock', 'unauthorized', 'permanent']);

export function createCheckin({ ctx, client, chain, host, lanes }: CheckinDeps): Checkin {
  const { clock } = ctx;
  const validator = lazily(() => compile(CheckinResponse));
  const versions = { appliance: applianceVersion(), node: process.version, os: osVersion() };
  let timeTakenAtMs: number | undefined;

  async function build({ counter, token, epoch, lostAtMs }: ChainState): Promise<string> {
    const { isClockSynced, ...hostState } = await host();
    client.clock.setSynced(isClockSynced);
    const isTimeDue = timeTakenAtMs === undefined || clock.monotonicMs() - timeTakenAtMs > TIME_EVERY_MS;
    const body = checkinBody(ctx, {
      counter: counter + 1,
      previousToken: token,
      timeNonce: isTimeDue ? makeNonce() : null,
      versions,
      epoch,
      // Without it staff could only think of a clone.
      host: lostAtMs === null ? hostState : { ...hostState, facts: { checkin_chain_lost: true, ...hostState.facts } },
      lanes: lanes(),
      timeQuality: client.clock.quality(),
    });
    return JSON.stringify(body);
  }

  /** The nonce the time was asked over, when it was. */
  function takeTime(body: string, answer: CheckinResponse, roundTripMs: number): void {
    const { timeNonce } = JSON.parse(body) as { timeNonce: string | null };
    if (timeNonce === null || answer.signedTime === null) return;
    if (client.takeSignedTime(answer.signedTime, { nonce: timeNonce, roundTripMs }))
      timeTakenAtMs = clock.monotonicMs();
  }

  return {
    async once(site) {
      const before = await chain.load(site);
      const isRepeat = before.pendingBody !== null;
      const body = before.pendingBody ?? (await build(before));
      const pending = { ...before, counter: isRepeat ? before.counter : before.counter + 1, pendingBody: body };
      // On disk before it is sent: after a crash the same words are said again.
      if (!isRepeat) await chain.save(pending);
      const beganMs = clock.monotonicMs();
      try {
        const answer = await client.sendJson({ method: 'POST', path: BOX_PATHS.checkin, body }, validator());
        if (!isRepeat) takeTime(body, answer, clock.monotonicMs() - beganMs);
        const { token } = answer;
        const isQuarantined = answer.state === 'quarantined';
        const lostAtMs = isQuarantined ? pending.lostAtMs : null;
        const lastCheckinAtMs = Math.max(0, Math.round(clock.nowMs()));
        const heard = { token, pendingBody: null, lastCheckinAtMs, isQuarantined, lostAtMs, refusal: null };
        await chain.save({ ...pending, ...heard });
        return { answer, isRepeat };
      } catch (error) {
        const kind = error instanceof RelayFailure ? error.kind : 'ambiguous';
        // An earlier try of a repeated body may have been heard; only a final refusal ends it.
        const isOver = kind === 'permanent' || (!isRepeat && NOT_HEARD.has(kind));
        const refusal = refusalOf(error, before, Math.max(0, Math.round(clock.nowMs())));
        if (isOver || refusal !== before.refusal)
          await chain.save({ ...pending, ...(isOver ? { pendingBody: null } : {}), refusal });
        throw error;
      }
    },
  };
}

/** A refusal is kept from the first one on; other faults say nothing about whether the box is welcome. */
function refusalOf(error: unknown, { refusal }: ChainState, nowMs: number): Refusal | null {
  if (!(error instanceof RelayFailure) || error.kind !== 'unauthorized') return refusal;
  return refusal?.code === error.code ? refusal : { code: error.code, atMs: nowMs };
}
