import type { Clock } from '@sitewarden/kit/time';

const DAY_MS = 86_400_000;
/** A clock disciplined by NTP is nearer to the truth than this. */
const MAX_APART_MS = 5000;
/** Beyond it the relay refuses signatures, and certificates of workstations would run out by mistake. */
const WORTH_SAYING_MS = 300_000;

export type TimeQuality = 'synced' | 'relay' | 'unsynced';

/**
 * The one clock of the box: what requests, rows and evidence are dated with. Until the relay's signed time was verified it
 * is the system clock, but never before the program was made; from then on it runs by the monotonic clock, so a wall clock
 * that is wrong, or jumps, does not matter. The system clock is never touched.
 */
export interface RelayClock extends Clock {
  quality(): TimeQuality;
  /** Called right before the quality stops being `unsynced`: what was dated until then was dated by a guess. */
  onTrusted(listener: () => void): () => void;
  /** The relay's time when it was ever verified in this run. */
  trustedNowMs(): number | undefined;
  /**
   * What certificates of workstations are judged by: the system clock where the kernel says that NTP keeps it and the relay's
   * time is later, for a relay with a wrong clock must not lock a site out of its own box; otherwise `nowMs`. Of the two it
   * is the earlier one, since anybody on the network may play NTP, but never before the program was made.
   */
  judgingNowMs(): number;
  /** How far the relay's time is ahead of a system clock that NTP keeps (negative: behind); null when they agree. */
  relayAheadMs(): number | null;
  /** Uncorrected, for those who judge the system clock itself. */
  systemNowMs(): number;
  /** What the kernel says about its own clock. */
  setSynced(isSynced: boolean): void;
  /** Verified relay time, from somewhere within the `roundTripMs` that just ended. */
  take(timeMs: number, roundTripMs: number): void;
  /** The wall clock stands before this and must be wrong. */
  readonly notBeforeMs: number;
}

export function createRelayClock(clock: Clock, { notBeforeMs }: { notBeforeMs: number }): RelayClock {
  const startedAtMs = clock.monotonicMs();
  const listeners = new Set<() => void>();
  let isSynced = false;
  let taken: { timeMs: number; atMonotonicMs: number } | undefined;
  function trustedNowMs(): number | undefined {
    return taken && Math.round(taken.timeMs + clock.monotonicMs() - taken.atMonotonicMs);
  }

  // It runs on from there: nothing that waits for a time would ever end on a clock that stands.
  const floorMs = () => Math.round(notBeforeMs + clock.monotonicMs() - startedAtMs);
  const nowMs = () => trustedNowMs() ?? Math.max(clock.nowMs(), floorMs());

  function quality(): TimeQuality {
    if (isSynced && Math.abs(clock.nowMs() - nowMs()) <= MAX_APART_MS) return 'synced';
    return taken !== undefined && clock.monotonicMs() - taken.atMonotonicMs < DAY_MS ? 'relay' : 'unsynced';
  }

  function learn(change: () => void): void {
    const wasUnsynced = quality() === 'unsynced';
    change();
    if (!wasUnsynced || quality() === 'unsynced') return;
    for (const listener of listeners) listener();
  }

  function relayAheadMs(): number | null {
    const theirsMs = trustedNowMs();
    if (!isSynced || theirsMs === undefined) return null;
    const aheadMs = theirsMs - clock.nowMs();
    return Math.abs(aheadMs) > WORTH_SAYING_MS ? aheadMs : null;
  }

  return {
    judgingNowMs: () => (relayAheadMs() === null ? nowMs() : Math.max(floorMs(), Math.min(clock.nowMs(), nowMs()))),
    relayAheadMs,
    notBeforeMs,
    nowMs,
    monotonicMs: clock.monotonicMs,
    systemNowMs: clock.nowMs,
    trustedNowMs,
    quality,
    onTrusted(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setSynced(value) {
      learn(() => {
        isSynced = value;
      });
    },
    take(timeMs, roundTripMs) {
      const ownMs = nowMs();
      // Rows should not jump for nothing: as long as the own time can be true it is kept.
      const canBeTrue = ownMs >= timeMs && ownMs <= timeMs + roundTripMs;
      const takenMs = canBeTrue ? ownMs : timeMs + roundTripMs / 2;
      learn(() => {
        taken = { timeMs: takenMs, atMonotonicMs: clock.monotonicMs() };
      });
    },
  };
}
