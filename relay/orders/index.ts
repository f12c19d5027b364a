/** Orders: what staff ask a box to do, and what became of it. */
export { isFinished, nextOrderState, shownOrderState, WAITING_STATES } from './machine.ts';
