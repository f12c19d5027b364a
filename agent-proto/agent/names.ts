import type { CheckSeverity, CheckStatus, TierNumber } from '../checks/index.ts';
import { type Severity, type Status, Tier } from '../gen/sitewarden/agent/v1/agent.ts';

const STATUS = { pass: 1, fail: 2, unknown: 3, not_applicable: 4 } as const satisfies Record<CheckStatus, Status>;
const SEVERITY = { info: 1, low: 2, medium: 3, high: 4, critical: 5 } as const satisfies Record<
  CheckSeverity,
  Severity
>;
const STATUS_NAMES: (CheckStatus | undefined)[] = [undefined, 'pass', 'fail', 'unknown', 'not_applicable'];
const SEVERITY_NAMES: (CheckSeverity | undefined)[] = [undefined, 'info', 'low', 'medium', 'high', 'critical'];

export const statusToWire = (status: CheckStatus): Status => STATUS[status];
export const severityToWire = (severity: CheckSeverity): Severity => SEVERITY[severity];

/** undefined for UNSPECIFIED and for values of a newer peer: the receiver refuses those. */
export const statusFromWire = (wire: number): CheckStatus | undefined => STATUS_NAMES[wire];
export const severityFromWire = (wire: number): CheckSeverity | undefined => SEVERITY_NAMES[wire];

export const tierToWire = (tier: TierNumber): Tier => (tier + 1) as Tier;

/** An unknown tier counts as MONITOR_ONLY: the least power. */
export function tierFromWire(wire: number): TierNumber {
  return wire === Tier.TIER_SELF_HEAL ? 1 : wire === Tier.TIER_FULL_REMEDIATION ? 2 : 0;
}
