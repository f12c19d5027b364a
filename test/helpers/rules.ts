import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatIssues } from '@sitewarden/kit/config';
import { BUILTIN_RULES_DIR, parseRule, type Rule } from '../../appliance/rules/index.ts';

const TEXT = readFileSync(join(BUILTIN_RULES_DIR, 'required-service-down.yaml'), 'utf8');

/** The built-in rule, with parts of its text exchanged. */
export function restartRule(exchange: Readonly<Record<string, string>> = {}): Rule {
  let text = TEXT;
  for (const [from, to] of Object.entries(exchange)) {
    if (!text.includes(from)) throw new Error(`the rule has no ${from}`);
    text = text.replace(from, to);
  }
  const result = parseRule(text, 'rule.yaml');
  if (!result.ok) throw new Error(formatIssues(result.issues, 'rule.yaml'));
  return result.rule;
}
