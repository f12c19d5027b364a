/** How one kind of call is retried. */
export interface RetrySchedule {
  readonly baseMs: number;
  readonly capMs: number;
}

export const RETRY_SCHEDULES = {
  /** Calls to the relay: an outage of hours must not end in a herd, and a check-in is due every minute anyway. */
  relay: { baseMs: 1_000, capMs: 60_000 },
  /** Calls on the clinic's own network: a restart of the box takes seconds. */
  lan: { baseMs: 250, capMs: 15_000 },
  /** A resource on this host, such as a busy file or a full disk. */
  local: { baseMs: 50, capMs: 5_000 },
} as const satisfies Record<string, RetrySchedule>;

export interface DelayInput extends RetrySchedule {
  /** 0 for the first retry. */
  readonly attempt: number;
  /** In [0, 1). */
  random(): number;
  /** From Retry-After: never retry before it. Default 0. */
  readonly floorMs?: number | undefined;
}

/**
 * Whole milliseconds to wait before the next try. Full jitter is applied AFTER the cap: jitter before it would gather a
 * whole fleet at the cap after a long outage. With a floor the jitter is added on top of it, for the same reason.
 */
export function nextDelayMs({ attempt, baseMs, capMs, random, floorMs = 0 }: DelayInput): number {
  const exponent = Math.min(Math.max(0, attempt), 1000);
  const windowMs = Math.min(capMs, baseMs * 2 ** exponent);
  return Math.ceil(Math.max(0, floorMs)) + Math.floor(random() * windowMs);
}

/** `intervalMs` moved evenly by up to `fraction` of itself either way: jittered(60000, 0.1, r) is 54000..66000. */
export function jittered(intervalMs: number, fraction: number, random: () => number): number {
  return Math.round(intervalMs * (1 + fraction * (2 * random() - 1)));
}
