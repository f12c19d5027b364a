export {
  ACTION_PARAMS,
  type ActionParams,
  isMendingAction,
  MENDING_ACTIONS,
  type MendingAction,
  validateActionParams,
} from './params.ts';
export { MAX_WINDOW_AHEAD_MS, MAX_WINDOW_MS, type Window, type WindowFault, windowFault, windowOf } from './window.ts';
