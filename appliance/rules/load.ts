import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type ConfigIssue, formatIssues } from '@sitewarden/kit/config';
import { parseRule } from './parse.ts';
import type { Rule } from './types.ts';

export const BUILTIN_RULES_DIR = join(import.meta.dirname, 'builtin');

export type RulesResult =
  | { readonly ok: true; readonly rules: readonly Rule[] }
  /** `text`: one line a fault, over all files. */
  | { readonly ok: false; readonly text: string };

/** For `rules check FILE...`: every fault of every file at once. Throws only when a file cannot be read. */
export function checkRuleFiles(paths: readonly string[]): RulesResult {
  const rules: Rule[] = [];
  const faults: string[] = [];
  const fileById = new Map<string, string>();
  for (const path of paths) {
    const text = readFileSync(path, 'utf8');
    const result = parseRule(text, basename(path));
    const issues = result.ok ? duplicateOf(result.rule, fileById.get(result.rule.id)) : result.issues;
    if (issues.length > 0) faults.push(formatIssues(issues, path));
    else if (result.ok) {
      rules.push(result.rule);
      fileById.set(result.rule.id, path);
    }
  }
  return faults.length > 0 ? { ok: false, text: faults.join('\n') } : { ok: true, rules };
}

/** The rules of a folder, all `*.yaml` in it, by name. */
export function loadRuleFolder(dir: string): RulesResult {
  const names = readdirSync(dir).filter((name) => name.endsWith('.yaml'));
  return checkRuleFiles(names.sort().map((name) => join(dir, name)));
}

function duplicateOf(rule: Rule, otherFile: string | undefined): ConfigIssue[] {
  if (otherFile === undefined) return [];
  const message = `the id \`${rule.id}\` is already used in ${otherFile}`;
  return [{ path: 'id', line: 1, column: 1, message, hint: 'give each rule its own id' }];
}
