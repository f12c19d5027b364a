import type { TierNumber } from './index.ts';

/** Everything an order can make an agent do, and the least tier for it. The box does not give, and the agent not run, what its tier does not allow. */
export const AGENT_ACTIONS = {
  run_check: { minTier: 0 },
  collect_diagnostics: { minTier: 0 },
  restart_service: { minTier: 1 },
  start_service: { minTier: 1 },
  defender_start: { minTier: 1 },
  signatures_update: { minTier: 1 },
  security_updates_scan: { minTier: 1 },
  firewall_on: { minTier: 2 },
  screenlock_policy: { minTier: 2 },
  security_updates_install: { minTier: 2 },
  bitlocker_resume: { minTier: 2 },
  undo: { minTier: 1 },
} as const satisfies Record<string, { minTier: TierNumber }>;
export type AgentAction = keyof typeof AGENT_ACTIONS;

/** Of an action this version does not know: the highest, for nobody here can say what it does. */
export const minTierOf = (action: string): TierNumber =>
  Object.hasOwn(AGENT_ACTIONS, action) ? AGENT_ACTIONS[action as AgentAction].minTier : 2;
