import type { Clock } from '@sitewarden/kit/time';

const DAY_MS = 86_400_000;

export type TimeQuality = 'synced' | 'relay' | 'unsynced';

/**
 * The time requests are signed with. Once the relay's signed time was verified it runs on from there by the monotonic
 * clock, so a wall clock that is wrong, or jumps, does not matter; the system clock is never touched.
 */
export interface RelayClock {
  nowMs(): number;
  quality(): TimeQuality;
  /** The relay's time when it was ever verified in this run. */
  trustedNowMs(): number | undefined;
  /** What the kernel says about its own clock. */
  setSynced(isSynced: boolean): void;
  /** Verified relay time, as of `roundTripMs / 2` ago. */
  take(timeMs: number, roundTripMs: number): void;
  /** The wall clock stands before this and must be wrong. */
  readonly notBeforeMs: number;
}

export function createRelayClock(clock: Clock, { notBeforeMs }: { notBeforeMs: number }): RelayClock {
  let isSynced = false;
  let taken: { timeMs: number; atMonotonicMs: number } | undefined;
  function trustedNowMs(): number | undefined {
    return taken && Math.round(taken.timeMs + clock.monotonicMs() - taken.atMonotonicMs);
  }

  return {
    notBeforeMs,
    nowMs: () => trustedNowMs() ?? Math.max(clock.nowMs(), notBeforeMs),
    trustedNowMs,
    quality() {
      if (isSynced) return 'synced';
      return taken !== undefined && clock.monotonicMs() - taken.atMonotonicMs < DAY_MS ? 'relay' : 'unsynced';
    },
    setSynced(value) {
      isSynced = value;
    },
    take(timeMs, roundTripMs) {
      taken = { timeMs: timeMs + roundTripMs / 2, atMonotonicMs: clock.monotonicMs() };
    },
  };
}
