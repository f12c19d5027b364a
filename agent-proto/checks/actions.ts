import type { TierNumber } from './index.ts';

/** Everything an order can make an agent do, and the least tier for it. The box does not give, and the agent not run, what its tier does not allow. */
export const AGENT_ACTIONS = {
  run_check: { minTier: 0 },
  collect_diagnostics: { minTier: 0 },
  restart_service: { minTier: 1 },
} as const satisfies Record<string, { minTier: TierNumber }>;
export type AgentAction = keyof typeof AGENT_ACTIONS;

/** Of an action this version does not know: the highest, for nobody here can say what it does. */
export const minTierOf = (action: string): TierNumber =>
  Object.hasOwn(AGENT_ACTIONS, action) ? AGENT_ACTIONS[action as AgentAction].minTier : 2;
