export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/**
 * A box counts as seen between two check-ins that are less than this apart, as its status has it; what is younger is not
 * rolled up yet, for the next check-in may still say so.
 */
export const LAG_MS = 5 * 60_000;

export interface Heard {
  /** When the present row of check-ins without a gap began. */
  readonly onlineSinceMs: number | null;
  readonly lastCheckinAtMs: number;
}

/** For how long a box was seen within (fromMs, toMs], by hours that begin at multiples of an hour, UTC. Pure. */
export function seenByHour(
  { onlineSinceMs, lastCheckinAtMs }: Heard,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): { fromMs: number; seenMs: number }[] {
  const begin = Math.max(fromMs, onlineSinceMs ?? lastCheckinAtMs);
  const end = Math.min(toMs, lastCheckinAtMs);
  const hours: { fromMs: number; seenMs: number }[] = [];
  for (let at = begin; at < end; ) {
    const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
    const next = Math.min(end, hour + HOUR_MS);
    hours.push({ fromMs: hour, seenMs: next - at });
    at = next;
  }
  return hours;
}

/** How much of a span there was to be seen in: from the first claim to what is rolled up. */
export const possibleMs = (
  { fromMs, lengthMs }: { fromMs: number; lengthMs: number },
  known: { fromMs: number; throughMs: number },
): number => Math.max(0, Math.min(fromMs + lengthMs, known.throughMs) - Math.max(fromMs, known.fromMs));
