import { existsSync } from 'node:fs';
import type { Clock } from '@sitewarden/kit/time';

/** systemd-timesyncd makes it, and chrony's NixOS module does, once the system clock was set by NTP. */
const SYNCED_MARKS = ['/run/systemd/timesync/synchronized', '/run/chrony/synchronized'];
const DAY_MS = 86_400_000;

export type TimeQuality = 'synced' | 'relay' | 'unsynced';

/**
 * The time requests are signed with. Once the relay's signed time was verified it runs on from there by the monotonic
 * clock, so a wall clock that is wrong, or jumps, does not matter; the system clock is never touched.
 */
export interface RelayClock {
  nowMs(): number;
  quality(): TimeQuality;
  /** Verified relay time, as of `roundTripMs / 2` ago. */
  take(timeMs: number, roundTripMs: number): void;
  /** The wall clock stands before this and must be wrong. */
  readonly notBeforeMs: number;
}

export function createRelayClock(
  clock: Clock,
  options: { notBeforeMs: number; marks?: readonly string[] },
): RelayClock {
  const { notBeforeMs, marks = SYNCED_MARKS } = options;
  let taken: { timeMs: number; atMonotonicMs: number } | undefined;
  return {
    notBeforeMs,
    nowMs() {
      if (taken === undefined) return Math.max(clock.nowMs(), notBeforeMs);
      return Math.round(taken.timeMs + clock.monotonicMs() - taken.atMonotonicMs);
    },
    quality() {
      if (marks.some((mark) => existsSync(mark))) return 'synced';
      return taken !== undefined && clock.monotonicMs() - taken.atMonotonicMs < DAY_MS ? 'relay' : 'unsynced';
    },
    take(timeMs, roundTripMs) {
      taken = { timeMs: timeMs + roundTripMs / 2, atMonotonicMs: clock.monotonicMs() };
    },
  };
}
