/** The wake-up: a connection to the relay over which it says that there is something to ask for. */
export { createWake, type Wake, type WakeSnapshot } from './wake.ts';
