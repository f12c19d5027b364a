import { jittered, nextDelayMs, RETRY_SCHEDULES } from '@sitewarden/kit/backoff';
import type { FailureKind } from '../lib/relay-failure.ts';

/** Moved by up to this fraction either way, so that a fleet started together spreads out. */
const JITTER = 0.1;
/** A box that is not welcome goes on asking, in case somebody changes their mind. */
export const UNAUTHORIZED_RETRY_MS = 15 * 60_000;
/** What the relay says when it has no wish of its own. */
const CONTRACT_INTERVAL_MS = 60_000;

/** Until the next check-in after a good one. */
export function nextCheckinDelayMs(input: { relayMs: number; configuredMs: number; random: () => number }): number {
  const { relayMs, configuredMs, random } = input;
  return jittered(relayMs === CONTRACT_INTERVAL_MS ? configuredMs : relayMs, JITTER, random);
}

export interface FailedCheckin {
  readonly kind: FailureKind;
  /** Failures in a row, from 0. */
  readonly attempt: number;
  readonly retryAfterMs: number | undefined;
  readonly configuredMs: number;
  readonly random: () => number;
}

/** Until the next try after a bad one. Full jitter comes after the cap, and never is it sooner than Retry-After. */
export function retryCheckinDelayMs({ kind, attempt, retryAfterMs, configuredMs, random }: FailedCheckin): number {
  if (kind === 'unauthorized') {
    return nextDelayMs({ ...RETRY_SCHEDULES.relay, attempt, random, floorMs: retryAfterMs ?? UNAUTHORIZED_RETRY_MS });
  }
  if (kind === 'permanent') return Math.max(retryAfterMs ?? 0, jittered(configuredMs, JITTER, random));
  return nextDelayMs({ ...RETRY_SCHEDULES.relay, attempt, random, floorMs: retryAfterMs });
}
