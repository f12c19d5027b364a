export { ACTIONS, type Action, type ActionContext, type RoundSummary, type Sight } from './actions/index.ts';
export { decideOrder } from './decide.ts';
export { createHealer, type Healer, type HealerOptions } from './healer.ts';
export { type Argv, type Host, thisHost } from './host.ts';
