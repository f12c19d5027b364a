import type { OrderState } from '@sitewarden/agent-proto/http';

/**
 * An order only ever moves to a higher rank. The relay's own view ends at `delivered`; everything after that is what
 * the box signed. `indeterminate` (found started after a crash) may still be cleared up by an outcome, an outcome is
 * final.
 */
const RANK: Record<OrderState, number> = {
  queued: 0,
  delivered: 1,
  started: 2,
  indeterminate: 3,
  done: 4,
  failed: 4,
  refused: 4,
  expired: 4,
};

/** The state after a receipt or a delivery says `next`. Late, repeated and reordered news change nothing. */
export function nextOrderState(current: OrderState, next: OrderState): OrderState {
  return RANK[next] > RANK[current] ? next : current;
}

export const isFinished = (state: OrderState): boolean => RANK[state] >= RANK.indeterminate;

/** States in which the box still has to be told about the order. */
export const WAITING_STATES = ['queued', 'delivered', 'started'] as const satisfies readonly OrderState[];

/**
 * What to show of a stored order: one the box never answered for is expired once its time is over. It is not stored as
 * expired, because only the box knows, and its late receipt must still count.
 */
export function shownOrderState(order: { state: OrderState; expiresAtMs: number }, nowMs: number): OrderState {
  const isUnanswered = order.state === 'queued' || order.state === 'delivered';
  return isUnanswered && nowMs >= order.expiresAtMs ? 'expired' : order.state;
}
