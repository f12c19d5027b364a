import { nextDelayMs, RETRY_SCHEDULES } from '@sitewarden/kit/backoff';
import type { FailureKind } from '../lib/relay-failure.ts';

/** Sending the same again will not help; somebody has to look. Still tried, because somebody may have looked. */
export const SLOW_RETRY_MS = 15 * 60_000;

export interface FailedTry {
  readonly kind: FailureKind;
  /** Failures in a row, from 0. */
  readonly attempt: number;
  readonly retryAfterMs: number | undefined;
  readonly random: () => number;
}

/** When to try again; by what is known of the failure, never by its words. */
export function retryDelayMs({ kind, attempt, retryAfterMs, random }: FailedTry): number {
  const jitter = { attempt, random, ...RETRY_SCHEDULES.relay };
  if (kind === 'permanent' || kind === 'unauthorized') {
    return nextDelayMs({ ...jitter, floorMs: retryAfterMs ?? SLOW_RETRY_MS });
  }
  return nextDelayMs({ ...jitter, floorMs: retryAfterMs });
}

export const IDLE_POLL_MS = 30_000;

/**
 * Until the first queue that had to wait at the last look may be tried, or the next look of an idle box. Timers fire up to
 * a millisecond early, so a queue can come due between that look and now: it is due at once, not done with.
 */
export function nextLookMs(at: { notBeforeMs: readonly number[]; lookedAtMs: number; nowMs: number }): number {
  const waiting = at.notBeforeMs.filter((ms) => ms > at.lookedAtMs);
  return Math.min(IDLE_POLL_MS, ...waiting.map((ms) => Math.max(1, Math.ceil(ms - at.nowMs))));
}
