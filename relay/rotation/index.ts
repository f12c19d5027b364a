/** A box changes its device key: announced under the old one, in force with the first request under the new one. */
export { announceTransition } from './announce.ts';
export { promoteNextKey } from './promote.ts';
export { LATE_REQUEST_MS, noteRetiredUse, RETIRED_KEY_USED } from './retired-use.ts';
