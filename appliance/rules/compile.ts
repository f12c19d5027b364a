import { createHash } from 'node:crypto';
import { validateActionParams } from '@sitewarden/agent-proto/actions';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { minTierOf, TIERS, type TierNumber } from '@sitewarden/agent-proto/checks';
import { isBoxAction } from './actions.ts';
import { compileCondition, readerOf } from './compile-condition.ts';
import type { RuleFile } from './schema.ts';
import type { Rule, RuleSubject } from './types.ts';

export function compileRule(file: RuleFile): Rule {
  const holds = compileCondition(file.when);
  return {
    id: file.id,
    version: file.version,
    digest: ruleDigest(file),
    title: file.title,
    check: file.check,
    action: file.action.name,
    holdForMs: file.hold_for.seconds * 1000,
    cooldown: { ms: file.cooldown.seconds * 1000, per: file.cooldown.per },
    attempts: { max: file.attempts.max, withinMs: file.attempts.within_seconds * 1000, per: file.attempts.per },
    verifyWithinMs: file.verify.seconds * 1000,
    minTier: Math.max(TIERS.indexOf(file.min_tier), minTierOf(file.action.name)) as TierNumber,
    matches: (subject) => (subject.source === 'agent' || isBoxAction(file.action.name)) && holds(subject),
    params: compileParams(file.action),
  };
}

/** Of the value, not of the text: comments and spacing do not make another rule. */
export function ruleDigest(file: RuleFile): string {
  return createHash('sha256').update(canonicalBytes(file)).digest('hex');
}

function compileParams({ name, params = {} }: RuleFile['action']): (subject: RuleSubject) => Facts | undefined {
  const parts = Object.entries(params).map(([param, value]) => {
    const read = typeof value === 'object' ? readerOf(value.from) : () => value;
    return { param, read };
  });
  return (subject) => {
    const result: Facts = {};
    for (const { param, read } of parts) {
      const value = read(subject);
      if (value === undefined) return undefined;
      result[param] = value;
    }
    // What a field holds came from a workstation: it is a parameter only if the agent itself would take it for one.
    return validateActionParams(name, result).ok ? result : undefined;
  };
}
