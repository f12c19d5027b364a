import type { ErrorObject } from 'ajv';
import { isSecretName } from '../log/index.ts';
import { nearestChoice, nearestKey } from './nearest.ts';
import { list, show, typeHint, typeName } from './show.ts';
import type { SchemaNode } from './types.ts';

type Path = readonly (string | number)[];

export interface Finding {
  readonly path: Path;
  /** The fault is the key itself, not its value. */
  readonly atKey: boolean;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Turns Ajv's errors (verbose, allErrors) into sentences, one for each fault a person made. */
export function explainErrors(errors: readonly ErrorObject[]): Finding[] {
  const unions = errors.filter(isUnion);
  const isInUnion = (error: ErrorObject) => unions.some((union) => union !== error && isUnder(error, union));
  return errors.filter((error) => !isInUnion(error)).flatMap((error) => explainOne(error, errors));
}

function explainOne(error: ErrorObject, all: readonly ErrorObject[]): Finding[] {
  if (isUnion(error)) return explainUnion(error, all);
  const path = pathOf(error.instancePath);
  const params = error.params as Record<string, unknown>;
  const schema = error.parentSchema as SchemaNode | undefined;
  if (error.keyword === 'additionalProperties') {
    const key = String(params.additionalProperty);
    return [{ path: [...path, key], atKey: true, message: `unknown key \`${key}\``, hint: nearestKey(key, schema) }];
  }
  if (error.keyword === 'required') {
    const key = String(params.missingProperty);
    const hint = schema?.properties?.[key]?.description;
    return [{ path: [...path, key], atKey: false, message: `the key \`${key}\` is missing`, hint }];
  }
  return [{ path, atKey: false, ...explainValue(error, params) }];
}

function explainValue(
  error: ErrorObject,
  params: Record<string, unknown>,
): { message: string; hint?: string | undefined } {
  const found = `, but is ${shown(error)}`;
  switch (error.keyword) {
    case 'type':
      return { message: `must be ${typeName(params.type)}${found}`, hint: typeHint(error.data, params.type) };
    case 'enum': {
      const choices = params.allowedValues as unknown[];
      return { message: `must be one of ${list(choices)}${found}`, hint: nearestChoice(error.data, choices) };
    }
    case 'const':
      return { message: `must be ${show(params.allowedValue)}${found}` };
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return { message: `must be ${params.comparison} ${params.limit}${found}` };
    case 'pattern': {
      const { patternText, description } = error.parentSchema as SchemaNode;
      if (patternText !== undefined) return { message: `must be ${patternText}${found}`, hint: description };
      return { message: `must match ${params.pattern}${found}`, hint: description };
    }
    case 'format':
      return { message: `must be a valid ${params.format}${found}` };
    default:
      return { message: error.message ?? `fails ${error.keyword}` };
  }
}

/** A union of constants is a list of choices; of other forms, the one that fits best tells what is wrong. */
function explainUnion(error: ErrorObject, all: readonly ErrorObject[]): Finding[] {
  const branches = (error.schema as SchemaNode[] | undefined) ?? [];
  const path = pathOf(error.instancePath);
  if (branches.every((branch) => branch.const !== undefined)) {
    const choices = branches.map((branch) => branch.const);
    const hint = nearestChoice(error.data, choices);
    return [{ path, atKey: false, message: `must be one of ${list(choices)}, but is ${shown(error)}`, hint }];
  }
  const inside = all.filter((one) => one !== error && isUnder(one, error));
  const meant = branches
    .map((_, index) => inside.filter((one) => one.schemaPath.startsWith(`${error.schemaPath}/${index}/`)))
    .filter((found) => found.length > 0 && !found.some((one) => isMisfit(one, error)))
    .sort((a, b) => a.length - b.length)[0];
  if (meant !== undefined) return explainErrors(meant);
  const kind = discriminator(branches);
  if (kind !== undefined && typeof error.data === 'object' && error.data !== null && !Array.isArray(error.data)) {
    const value = (error.data as Record<string, unknown>)[kind.key];
    const found = value === undefined ? 'is missing' : `is ${show(value)}`;
    const message = `must be one of ${list(kind.choices)}, but ${found}`;
    return [{ path: [...path, kind.key], atKey: false, message, hint: nearestChoice(value, kind.choices) }];
  }
  const names = branches.map((branch) => (branch.const === undefined ? typeName(branch.type) : show(branch.const)));
  return [{ path, atKey: false, message: `must be ${[...new Set(names)].join(' or ')}, but is ${shown(error)}` }];
}

/** The key whose constant tells the branches apart. */
function discriminator(branches: readonly SchemaNode[]): { key: string; choices: unknown[] } | undefined {
  for (const key of Object.keys(branches[0]?.properties ?? {})) {
    const choices = branches.map((branch) => branch.properties?.[key]?.const);
    if (choices.every((choice) => choice !== undefined)) return { key, choices };
  }
  return undefined;
}

/** The branch is not the one meant: another type altogether, or another discriminating constant. */
function isMisfit(error: ErrorObject, union: ErrorObject): boolean {
  return error.keyword === 'const' || (error.keyword === 'type' && error.instancePath === union.instancePath);
}

function isUnion(error: ErrorObject): boolean {
  return error.keyword === 'anyOf' || error.keyword === 'oneOf';
}

function isUnder(error: ErrorObject, union: ErrorObject): boolean {
  const isSamePlace =
    error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`);
  return isSamePlace && error.schemaPath.startsWith(`${union.schemaPath}/`);
}

/** These sentences are logged and shown, so a value under a secret's name stays out of them. */
function shown(error: ErrorObject): string {
  return pathOf(error.instancePath).some((step) => isSecretName(String(step))) ? 'something else' : show(error.data);
}

function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
