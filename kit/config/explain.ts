import type { ErrorObject } from 'ajv';
import { closest, distance } from 'fastest-levenshtein';
import type { SchemaNode } from './types.ts';

export interface Finding {
  readonly path: readonly (string | number)[];
  /** The fault is the key itself, not its value. */
  readonly atKey: boolean;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Turns Ajv's errors (verbose, allErrors) into sentences, one for each fault a person made. */
export function explainErrors(errors: readonly ErrorObject[]): Finding[] {
  const unions = errors.filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf');
  const isInUnion = (error: ErrorObject) =>
    unions.some((union) => union !== error && error.schemaPath.startsWith(`${union.schemaPath}/`));
  return errors.filter((error) => !isInUnion(error)).flatMap((error) => explainOne(error, errors));
}

function explainOne(error: ErrorObject, all: readonly ErrorObject[]): Finding[] {
  const path = pathOf(error.instancePath);
  const params = error.params as Record<string, unknown>;
  const at = (message: string, hint?: string): Finding[] => [{ path, atKey: false, message, hint }];
  const schema = error.parentSchema as SchemaNode | undefined;
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(params.additionalProperty ?? params.unevaluatedProperty);
      return [{ path: [...path, key], atKey: true, message: `unknown key \`${key}\``, hint: nearestKey(key, schema) }];
    }
    case 'required': {
      const key = String(params.missingProperty);
      return [
        { path: [...path, key], atKey: false, message: `the key \`${key}\` is missing`, hint: describe(schema, key) },
      ];
    }
    case 'type':
      return at(`must be ${typeName(params.type)}, but is ${show(error.data)}`, typeHint(error.data, params.type));
    case 'enum':
      return at(`must be one of ${list(params.allowedValues as unknown[])}, but is ${show(error.data)}`);
    case 'const':
      return at(`must be ${show(params.allowedValue)}, but is ${show(error.data)}`);
    case 'anyOf':
    case 'oneOf':
      return explainUnion(error, all);
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return at(`must be ${params.comparison} ${params.limit}, but is ${show(error.data)}`);
    case 'pattern':
      return at(`must match ${params.pattern}, but is ${show(error.data)}`, schema?.description);
    case 'format':
      return at(`must be a valid ${params.format}, but is ${show(error.data)}`);
    default:
      return at(error.message ?? `fails ${error.keyword}`);
  }
}

/** A union of constants is a list of choices; of other forms, the one that fits best tells what is wrong. */
function explainUnion(error: ErrorObject, all: readonly ErrorObject[]): Finding[] {
  const branches = (error.schema as SchemaNode[] | undefined) ?? [];
  const path = pathOf(error.instancePath);
  if (branches.every((branch) => branch.const !== undefined)) {
    const choices = branches.map((branch) => branch.const);
    return [
      {
        path,
        atKey: false,
        message: `must be one of ${list(choices)}, but is ${show(error.data)}`,
        hint: nearestChoice(error.data, choices),
      },
    ];
  }
  const prefix = `${error.schemaPath}/`;
  const byBranch = branches.map((_, index) => all.filter((one) => one.schemaPath.startsWith(`${prefix}${index}/`)));
  const isDeep = (found: ErrorObject[]) => found.length > 0 && !found.some((one) => isMisfit(one, error));
  const fitting = byBranch.filter(isDeep).sort((a, b) => a.length - b.length)[0];
  if (fitting !== undefined) return explainErrors(fitting);
  const names = branches.map((branch) => (branch.const === undefined ? typeName(branch.type) : show(branch.const)));
  return [{ path, atKey: false, message: `must be ${[...new Set(names)].join(' or ')}, but is ${show(error.data)}` }];
}

/** The branch is not the one meant: another type altogether, or another discriminating constant. */
function isMisfit(error: ErrorObject, union: ErrorObject): boolean {
  if (error.instancePath === union.instancePath) return error.keyword === 'type' || error.keyword === 'const';
  return error.keyword === 'const';
}

function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function nearestKey(key: string, schema: SchemaNode | undefined): string | undefined {
  const known = Object.keys(schema?.properties ?? {});
  const nearest = near(key, known);
  if (nearest !== undefined) return `did you mean \`${nearest}\`?`;
  return known.length > 0 && known.length <= 20 ? `known keys: ${known.join(', ')}` : undefined;
}

function nearestChoice(value: unknown, choices: readonly unknown[]): string | undefined {
  const nearest = near(
    String(value),
    choices.filter((choice) => typeof choice === 'string'),
  );
  return nearest === undefined ? undefined : `did you mean \`${nearest}\`?`;
}

/** Closer than half of what was written: further off a guess would mislead. */
function near(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const lower = word.toLowerCase().replaceAll(/[-_]/g, '');
  const folded = known.map((one) => one.toLowerCase().replaceAll(/[-_]/g, ''));
  const nearest = closest(lower, folded);
  return distance(lower, nearest) <= Math.max(1, Math.floor(lower.length / 2) - 1)
    ? known[folded.indexOf(nearest)]
    : undefined;
}

function describe(schema: SchemaNode | undefined, key: string): string | undefined {
  return schema?.properties?.[key]?.description;
}

const TYPE_NAMES: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
  null: 'empty',
};

function typeName(type: unknown): string {
  return (Array.isArray(type) ? type : [type]).map((one) => TYPE_NAMES[String(one)] ?? 'another form').join(' or ');
}

function typeHint(data: unknown, type: unknown): string | undefined {
  if (type === 'boolean' && typeof data === 'string' && /^(yes|no|on|off)$/i.test(data)) {
    return `YAML 1.2 reads \`${data}\` as text: write ${/^(yes|on)$/i.test(data) ? 'true' : 'false'}`;
  }
  if (type === 'string' && (typeof data === 'number' || typeof data === 'boolean'))
    return `put it in quotes: '${data}'`;
  if (
    (type === 'integer' || type === 'number') &&
    typeof data === 'string' &&
    data.trim() !== '' &&
    Number.isFinite(Number(data))
  ) {
    return 'remove the quotes';
  }
  return undefined;
}

/** Short, and without the inside of groups: a value may be a secret put under the wrong key. */
function show(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  if (typeof value === 'string') return `\`${value.length > 40 ? `${value.slice(0, 37)}...` : value}\``;
  return String(value);
}

function list(values: readonly unknown[]): string {
  return values.map((value) => show(value)).join(', ');
}
