export { ACTIONS, type Action, type ActionContext, type RoundSummary } from './actions/index.ts';
export { decideOrder } from './decide.ts';
export { createHealer, type Healer, type HealerOptions } from './healer.ts';
