import { createHash } from 'node:crypto';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { TIERS, type TierNumber } from '@sitewarden/agent-proto/checks';
import { compileCondition, readerOf } from './compile-condition.ts';
import type { RuleFile } from './schema.ts';
import type { Rule, RuleSubject } from './types.ts';

const MAX_PARAM_CHARS = 64;

export function compileRule(file: RuleFile): Rule {
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
    minTier: TIERS.indexOf(file.min_tier) as TierNumber,
    matches: compileCondition(file.when),
    params: compileParams(file.action.params),
  };
}

/** Of the value, not of the text: comments and spacing do not make another rule. */
export function ruleDigest(file: RuleFile): string {
  return createHash('sha256').update(canonicalBytes(file)).digest('hex');
}

function compileParams(params: RuleFile['action']['params']): (subject: RuleSubject) => Facts | undefined {
  const parts = Object.entries(params).map(([name, value]) => {
    const read = typeof value === 'string' ? () => value : readerOf(value.from);
    return { name, read };
  });
  return (subject) => {
    const result: Facts = {};
    for (const { name, read } of parts) {
      const value = read(subject);
      if (typeof value !== 'string' || value === '' || value.length > MAX_PARAM_CHARS) return undefined;
      result[name] = value;
    }
    return result;
  };
}
