import type { CheckName } from '@sitewarden/agent-proto/checks';
import type { Rule, RuleSubject } from './types.ts';

export interface RuleSet {
  readonly rules: readonly Rule[];
  /** The first rule, by id, that wants to act on this. */
  match(subject: RuleSubject): Rule | undefined;
}

/** Indexed by check: a result is only compared with the rules that can want it. */
export function createRuleSet(rules: readonly Rule[]): RuleSet {
  const sorted = [...rules].sort((a, b) => (a.id < b.id ? -1 : 1));
  const byCheck = new Map<CheckName, Rule[]>();
  for (const rule of sorted) {
    const others = byCheck.get(rule.check);
    if (others === undefined) byCheck.set(rule.check, [rule]);
    else others.push(rule);
  }
  return {
    rules: sorted,
    match: (subject) => byCheck.get(subject.check)?.find((rule) => rule.matches(subject)),
  };
}
