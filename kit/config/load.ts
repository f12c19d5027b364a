import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { explainErrors } from './explain.ts';
import { prepareSchema } from './prepare-schema.ts';
import { issueAt, offsetOf, readYaml } from './read-yaml.ts';
import type { ConfigIssue, ConfigResult, StaticOf } from './types.ts';

/** More would not be read, and finding the place of each costs time. */
const MAX_ISSUES = 100;

const compiled = new WeakMap<object, ValidateFunction>();

/**
 * Reads a YAML configuration by its JSON schema (TypeBox makes one): defaults filled in, or every issue at once in the
 * order of the file. Unknown keys are refused at every level, and a group whose keys all have defaults may be left out.
 * Pure: the file is not opened here. Throws only when the schema itself is wrong.
 */
export function loadConfig<S extends object>(schema: S, text: string, fileName: string): ConfigResult<StaticOf<S>> {
  const file = readYaml(text);
  if (file.issues.length > 0) return { ok: false, issues: inOrder(file.issues) };
  const value = file.value ?? {};
  const validate = compile(schema);
  if (validate(value)) return { ok: true, value: value as StaticOf<S> };
  const findings = explainErrors(validate.errors ?? []);
  const issues = findings.slice(0, MAX_ISSUES).map((finding) =>
    issueAt(offsetOf(file.document, finding.path, finding.atKey), file.lines, {
      path: dotted(finding.path),
      message: finding.path.length === 0 ? `${fileName} ${finding.message}` : finding.message,
      hint: finding.hint,
    }),
  );
  return { ok: false, issues: inOrder(issues, findings.length) };
}

/** One line an issue, `file:line:column: path: message (hint)`, as editors and people find it. */
export function formatIssues(issues: readonly ConfigIssue[], fileName: string): string {
  return issues
    .map(({ path, line, column, message, hint }) => {
      const where = path === '' ? '' : `${path}: `;
      return `${fileName}:${line}:${column}: ${where}${message}${hint === undefined ? '' : ` (${hint})`}`;
    })
    .join('\n');
}

function compile(schema: object): ValidateFunction {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const ajv = new Ajv({
    ...{ allErrors: true, useDefaults: true, strict: true, allowUnionTypes: true, verbose: true },
    // A schema may list many keys by name and say by pattern what stands behind them.
    allowMatchingProperties: true,
  });
  addFormats.default(ajv);
  // Says a pattern in words; explainErrors reads it.
  ajv.addVocabulary(['patternText']);
  const validate = ajv.compile(prepareSchema(schema));
  compiled.set(schema, validate);
  return validate;
}

function dotted(path: readonly (string | number)[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}

function inOrder(issues: readonly ConfigIssue[], total = issues.length): ConfigIssue[] {
  const sorted = [...issues].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MAX_ISSUES);
  const last = sorted.at(-1);
  if (last === undefined || total <= MAX_ISSUES) return sorted;
  const { line, column } = last;
  return [
    ...sorted,
    { path: '', line, column, message: `and ${total - MAX_ISSUES} more`, hint: 'correct these first' },
  ];
}
