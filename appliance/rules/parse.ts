import { minTierOf, TIERS } from '@sitewarden/agent-proto/checks';
import { type ConfigIssue, loadConfig } from '@sitewarden/kit/config';
import { isNode, isPair, LineCounter, parseDocument } from 'yaml';
import { paramSchemas } from './actions.ts';
import { compileRule } from './compile.ts';
import { fieldsOf, parseFieldKey } from './fields.ts';
import { type Condition, RULE_FILE, type RuleFile } from './schema.ts';
import type { Rule } from './types.ts';

export type RuleResult =
  | { readonly ok: true; readonly rule: Rule }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

const MAX_NESTING = 8;

/** A rule from its YAML text, or every fault at once with line and column. Pure; never throws for what the text says. */
export function parseRule(text: string, fileName: string): RuleResult {
  const loaded = loadConfig(RULE_FILE, text, fileName);
  if (!loaded.ok) return loaded;
  const faults = meaningFaults(loaded.value);
  if (faults.length > 0) return { ok: false, issues: locate(text, faults) };
  return { ok: true, rule: compileRule(loaded.value) };
}

type Path = readonly (string | number)[];
interface Fault {
  readonly path: Path;
  readonly message: string;
  readonly hint?: string;
}

/** What a schema cannot say: a fact must be one that the rule's own check has. */
function meaningFaults(file: RuleFile): Fault[] {
  const known = fieldsOf(file.check);
  const hint = `${file.check} has: ${known.join(', ')}`;
  const faults: Fault[] = [];
  const walk = (condition: Condition, path: Path, depth: number): void => {
    if (depth > MAX_NESTING) {
      faults.push({
        path,
        message: `conditions are nested deeper than ${MAX_NESTING} levels`,
        hint: 'write two rules',
      });
      return;
    }
    for (const [key, value] of Object.entries(condition)) {
      if (key === 'any' || key === 'all') {
        for (const [i, inner] of (value as Condition[]).entries()) walk(inner, [...path, key, i], depth + 1);
      } else if (key === 'not') walk(value as Condition, [...path, key], depth + 1);
      else if (!known.includes(parseFieldKey(key).field)) {
        faults.push({ path: [...path, key], message: `the check ${file.check} has no field \`${key}\``, hint });
      }
    }
  };
  walk(file.when, ['when'], 1);
  for (const [name, value] of Object.entries(file.action.params ?? {})) {
    if (typeof value !== 'object' || known.includes(value.from)) continue;
    const path = ['action', 'params', name, 'from'];
    faults.push({ path, message: `the check ${file.check} has no field \`${value.from}\``, hint });
  }
  return [...faults, ...actionFaults(file)];
}

/** What its action does not take, or takes and is not there; and a tier on which no agent would do it. */
function actionFaults({ action, min_tier: tier }: RuleFile): Fault[] {
  const { name, params = {} } = action;
  const wanted = Object.keys(paramSchemas(name));
  const hint = wanted.length === 0 ? `${name} takes none: leave it out` : `${name} takes: ${wanted.join(', ')}`;
  const strange = Object.keys(params).filter((param) => !wanted.includes(param));
  const missing = wanted.filter((param) => !Object.hasOwn(params, param));
  const least = minTierOf(name);
  return [
    ...strange.map((param) => ({
      path: ['action', 'params', param],
      message: `the action ${name} has no parameter \`${param}\``,
      hint,
    })),
    ...missing.map((param) => ({
      path: action.params === undefined ? ['action', 'name'] : ['action', 'params'],
      message: `the action ${name} needs the parameter \`${param}\``,
      hint,
    })),
    ...(TIERS.indexOf(tier) >= least
      ? []
      : [
          {
            path: ['min_tier'],
            message: `no agent does ${name} below ${TIERS[least]}`,
            hint: `write ${TIERS.slice(least).join(' or ')}`,
          },
        ]),
  ];
}

function locate(text: string, faults: readonly Fault[]): ConfigIssue[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const issues = faults.map(({ path, message, hint }) => {
    const { line, col } = lines.linePos(offsetOf(document.contents, path));
    return { path: dotted(path), line, column: col, message, ...(hint === undefined ? {} : { hint }) };
  });
  return issues.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Of the key the path ends at, or of the list item. */
function offsetOf(root: unknown, path: Path): number {
  let node: unknown = root;
  let offset = 0;
  for (const step of path) {
    if (!isNode(node) || !('items' in node) || !Array.isArray(node.items)) return offset;
    const item: unknown =
      typeof step === 'number'
        ? node.items[step]
        : node.items.find((pair) => isPair(pair) && isNode(pair.key) && String(pair.key) === step);
    const at = isPair(item) ? item.key : item;
    if (isNode(at)) offset = at.range?.[0] ?? offset;
    node = isPair(item) ? item.value : item;
  }
  return offset;
}

const dotted = (path: Path): string =>
  path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
