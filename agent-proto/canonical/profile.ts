import { ProtoError } from '../errors/index.ts';

/** Nesting beyond this is refused, so no input can exhaust the stack. */
export const MAX_DEPTH = 64;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function refuse(path: string, what: string): never {
  throw new ProtoError('CANONICAL_VALUE', `${path || 'the value'} is ${what}`);
}

function copyString(text: string, path: string): string {
  if (!text.isWellFormed()) refuse(path, 'text with a lone surrogate');
  return text;
}

function copyNumber(value: number, path: string): number {
  if (!Number.isSafeInteger(value)) refuse(path, 'not a safe integer');
  if (Object.is(value, -0)) refuse(path, 'minus zero');
  return value;
}

function copyArray(value: unknown[], path: string, depth: number): Json[] {
  if (Object.getPrototypeOf(value) !== Array.prototype) refuse(path, 'not a plain array');
  const keys = Object.keys(value);
  if (keys.length !== value.length || Object.getOwnPropertySymbols(value).length > 0) {
    refuse(path, 'an array with holes or named members');
  }
  const copy: Json[] = [];
  for (let i = 0; i < keys.length; i += 1) copy.push(copyValue(value[i], `${path}[${i}]`, depth + 1));
  return copy;
}

function copyObject(value: object, path: string, depth: number): { [key: string]: Json } {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) refuse(path, 'not a plain object');
  if (Object.getOwnPropertySymbols(value).length > 0) refuse(path, 'an object with symbol members');
  // No prototype: a member named __proto__ stays data, and a toJSON on Object.prototype is out of reach.
  const copy: { [key: string]: Json } = Object.create(null);
  for (const key of Object.keys(value)) {
    copyString(key, `${path}.${key.toWellFormed()}`);
    copy[key] = copyValue((value as Record<string, unknown>)[key], `${path}.${key}`, depth + 1);
  }
  return copy;
}

function copyValue(value: unknown, path: string, depth: number): Json {
  if (depth > MAX_DEPTH) refuse(path, `nested deeper than ${MAX_DEPTH}`);
  switch (typeof value) {
    case 'string':
      return copyString(value, path);
    case 'number':
      return copyNumber(value, path);
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (typeof (value as { toJSON?: unknown }).toJSON === 'function') refuse(path, 'an object with a toJSON method');
      return Array.isArray(value) ? copyArray(value, path, depth) : copyObject(value, path, depth);
    default:
      return refuse(path, `of type ${typeof value}`);
  }
}

/**
 * A copy of `value` that holds only the canonical profile. Every member is read exactly once, so a getter or a proxy
 * cannot show the check one value and the serializer another. Throws CANONICAL_VALUE naming the member.
 */
export function profileCopy(value: unknown): Json {
  return copyValue(value, '', 0);
}
