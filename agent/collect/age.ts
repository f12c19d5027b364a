const DAY_MS = 86_400_000;

/**
 * Whole days of an age. A little before zero is a clock that lags and counts as today; more than a day before zero
 * means the clock cannot be trusted, and the age is unknown.
 */
export function wholeDays(ageMs: number): number | undefined {
  if (!Number.isFinite(ageMs) || ageMs < -DAY_MS) return undefined;
  return Math.max(0, Math.floor(ageMs / DAY_MS));
}
