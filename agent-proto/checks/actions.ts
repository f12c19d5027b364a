import type { CheckName } from './catalogue.ts';
import type { TierNumber } from './index.ts';

interface AgentActionDefinition {
  /** The least tier for it. */
  readonly minTier: TierNumber;
  /** Of what mends: the check that sees the fault, and whose facts stand before and after. */
  readonly check?: CheckName;
  /** An `undo` can name an order of it. */
  readonly canUndo?: true;
}

/** Everything an order can make an agent do. The box does not give, and the agent not run, what its tier does not allow. */
export const AGENT_ACTIONS = {
  run_check: { minTier: 0 },
  collect_diagnostics: { minTier: 0 },
  restart_service: { minTier: 1, check: 'services' },
  start_service: { minTier: 1, check: 'services', canUndo: true },
  defender_start: { minTier: 1, check: 'defender' },
  signatures_update: { minTier: 1, check: 'defender' },
  security_updates_scan: { minTier: 1, check: 'patches' },
  /** Answers with the facts of `onlyVersion`. */
  update_agent: { minTier: 1 },
  // It can cut a connection that somebody relies on.
  firewall_on: { minTier: 2, check: 'firewall', canUndo: true },
  screenlock_policy: { minTier: 2, check: 'screenlock', canUndo: true },
  security_updates_install: { minTier: 2, check: 'patches' },
  // With firmware changed while it was suspended, the next start asks for the recovery key.
  bitlocker_resume: { minTier: 2, check: 'bitlocker' },
  /** At least; then that of the action it undoes. */
  undo: { minTier: 1 },
} as const satisfies Record<string, AgentActionDefinition>;
export type AgentAction = keyof typeof AGENT_ACTIONS;

const definitionOf = (action: string): AgentActionDefinition | undefined =>
  Object.hasOwn(AGENT_ACTIONS, action) ? AGENT_ACTIONS[action as AgentAction] : undefined;

/** Of an action this version does not know: the highest, for nobody here can say what it does. */
export const minTierOf = (action: string): TierNumber => definitionOf(action)?.minTier ?? 2;

/** Undefined for what mends nothing, and for `undo`: there it is the check of the action that is undone. */
export const checkOf = (action: string): CheckName | undefined => definitionOf(action)?.check;

export const canUndoAction = (action: string): boolean => definitionOf(action)?.canUndo === true;
