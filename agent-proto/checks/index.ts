export { AGENT_ACTIONS, type AgentAction, canUndoAction, checkOf, minTierOf } from './actions.ts';
export { CHECK_NAMES, CHECKS, type CheckDefinition, type CheckName, isCheckName } from './catalogue.ts';
export { DIAGNOSTICS, onlyDiagnostics, onlyVersion } from './diagnostics.ts';
export { KEY_PROTECTORS } from './key-protectors.ts';

export const CHECK_STATUSES = ['pass', 'fail', 'unknown', 'not_applicable'] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type CheckSeverity = (typeof SEVERITIES)[number];

/** Capability tiers: 0 MONITOR_ONLY (default), 1 SELF_HEAL, 2 FULL_REMEDIATION. */
export const TIERS = ['MONITOR_ONLY', 'SELF_HEAL', 'FULL_REMEDIATION'] as const;
export type TierName = (typeof TIERS)[number];
export type TierNumber = 0 | 1 | 2;
