/** Orders: what staff ask a box to do, and what became of it. */
export { createOrder, ORDER_TTL_MS } from './create.ts';
export { deliverOrders } from './deliver.ts';
export { isFinished, nextOrderState, shownOrderState, WAITING_STATES } from './machine.ts';
export { type ShownOrder, viewOrder, viewOrders } from './view.ts';
export type { OrderWish } from './wish.ts';
