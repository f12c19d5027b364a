import { isSecretName } from './names.ts';
import { REDACTED, scrubText } from './values.ts';

/** Deeper or longer than this tells an operator nothing, and a peer's data must not fill the disk. */
const MAX_DEPTH = 8;
const MAX_ITEMS = 100;
const MAX_TEXT = 8192;

/** A copy fit for a log: secrets by name and by look are hidden, bytes are counted, cycles and depth are cut. */
export function scrubObject(value: object): Record<string, unknown> {
  return scrub(value, new Set(), 0) as Record<string, unknown>;
}

function scrub(value: unknown, parents: Set<object>, depth: number): unknown {
  if (typeof value === 'string') return scrubText(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}...` : value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (parents.has(value)) return '[circular]';
  if (depth >= MAX_DEPTH) return '[deeper]';
  parents.add(value);
  const scrubbed = scrubInside(value, (inner) => scrub(inner, parents, depth + 1));
  parents.delete(value);
  return scrubbed;
}

function scrubInside(value: object, inner: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map(inner);
  if (value instanceof Set) return [...value].slice(0, MAX_ITEMS).map(inner);
  const entries =
    value instanceof Map ? [...value].map(([key, item]) => [String(key), item] as const) : entriesOf(value);
  const result: Record<string, unknown> = {};
  for (const [key, item] of entries.slice(0, MAX_ITEMS)) {
    const isHidden = isSecretName(key) && item !== undefined && item !== null && typeof item !== 'boolean';
    result[key] = isHidden ? REDACTED : inner(item);
  }
  return result;
}

function entriesOf(value: object): [string, unknown][] {
  if (!(value instanceof Error)) {
    // crypto's KeyObject and X509Certificate have no own properties; their toString and toJSON give them away.
    return Object.entries(value).filter(([, item]) => typeof item !== 'function');
  }
  const own = Object.entries(value);
  const cause = value.cause === undefined ? [] : [['cause', value.cause] as [string, unknown]];
  return [['type', value.name], ['message', value.message], ['stack', value.stack ?? ''], ...own, ...cause];
}
