/** Orders: what staff ask a box to do, and what became of it. */
export { createOrder, ORDER_TTL_MS, type OrderWish } from './create.ts';
export { deliverOrders } from './deliver.ts';
export { isFinished, nextOrderState, shownOrderState, WAITING_STATES } from './machine.ts';
export { type ShownOrder, viewOrder } from './view.ts';
