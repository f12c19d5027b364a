import type { Facts } from '@sitewarden/agent-proto/agent';
import type { CheckName, CheckSeverity, CheckStatus, TierNumber } from '@sitewarden/agent-proto/checks';
import type { ActionName } from './actions.ts';
import type { Scope } from './schema.ts';

/** What a rule looks at: one result as it stands. */
export interface RuleSubject {
  readonly check: CheckName;
  readonly subject: string;
  readonly status: CheckStatus;
  readonly severity: CheckSeverity;
  readonly expected: string;
  readonly actual: string;
  readonly facts: Facts;
  readonly source: 'box' | 'agent';
}

/** A rule, compiled. Pure and shareable. */
export interface Rule {
  readonly id: string;
  readonly version: number;
  /** SHA-256 of the canonical JSON of the rule, hex: what evidence names. */
  readonly digest: string;
  readonly title: string;
  readonly check: CheckName;
  readonly action: ActionName;
  readonly holdForMs: number;
  readonly cooldown: { readonly ms: number; readonly per: Scope };
  readonly attempts: { readonly max: number; readonly withinMs: number; readonly per: Scope };
  readonly verifyWithinMs: number;
  /** Never below that of the action. */
  readonly minTier: TierNumber;
  /** Never true of the box for what only an agent can do. */
  matches(subject: RuleSubject): boolean;
  /** Undefined when a field a parameter is taken from is missing or is not fit to be one. */
  params(subject: RuleSubject): Facts | undefined;
}
