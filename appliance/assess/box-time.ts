/** An agent's backlog can be a month old; an older stamp comes from a clock that was never set. */
const MAX_AGE_MS = 31 * 24 * 3600 * 1000;

/**
 * When a result was collected, by the box's reckoning: the agent's stamp where it can be true, else when it was received.
 * Nothing is received before it is collected, so a stamp from the future is a wrong clock.
 */
export function boxTimeMs(collectedAtMs: number, receivedAtMs: number): number {
  const isPlausible = collectedAtMs <= receivedAtMs && collectedAtMs >= receivedAtMs - MAX_AGE_MS;
  return isPlausible ? collectedAtMs : receivedAtMs;
}
