/** Wakes that are followed at once, and how soon the next one is after that. */
export const WAKE_PACE = { burst: 10, everyMs: 6000 } as const;

export interface Pace {
  /** How long to wait before the next request may go out; 0: it may, and counts as gone. `nowMs` monotonic. */
  take(nowMs: number): number;
  /** None before then. */
  hold(untilMs: number): void;
}

/**
 * A bucket: whatever a relay says, at most `burst` requests at once and one every `everyMs` after that, so a broker that
 * sends a thousand wakes a second makes this box send ten requests a minute.
 */
export function createPace({ burst, everyMs }: { burst: number; everyMs: number }): Pace {
  let tokens: number = burst;
  let atMs: number | undefined;
  let heldUntilMs = Number.NEGATIVE_INFINITY;
  return {
    take(nowMs) {
      tokens = Math.min(burst, tokens + Math.max(0, nowMs - (atMs ?? nowMs)) / everyMs);
      atMs = nowMs;
      if (nowMs < heldUntilMs) return heldUntilMs - nowMs;
      if (tokens < 1) return Math.ceil((1 - tokens) * everyMs);
      tokens -= 1;
      return 0;
    },
    hold(untilMs) {
      heldUntilMs = Math.max(heldUntilMs, untilMs);
    },
  };
}
