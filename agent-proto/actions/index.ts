export { ACTION_PARAMS, type ActionParams, type MendingAction, validateActionParams } from './params.ts';
