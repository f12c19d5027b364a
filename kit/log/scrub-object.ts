import { isSecretName } from './names.ts';
import { REDACTED, scrubText } from './values.ts';

/** Deeper or longer than this tells an operator nothing, and a peer's data must not fill the disk. */
const MAX_DEPTH = 8;
const MAX_ITEMS = 100;
const MAX_TEXT = 8192;
const MAX_LINE = 64 * 1024;
/** Longer lines are not even looked through. */
const MAX_RAW_LINE = 256 * 1024;
/** Shorter keys cannot hold a secret worth the name. */
const MIN_SECRET_KEY = 14;

/** A copy fit for a log: secrets by name and by look are hidden, bytes are counted, cycles and depth are cut. */
export function scrubObject(value: object): Record<string, unknown> {
  return scrub(value, new Set(), 0) as Record<string, unknown>;
}

/** The same for a finished line of JSON, whatever put it together. Of an overlong one only the frame is kept. */
export function scrubLine(line: string): string {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line);
  } catch {
    return `${JSON.stringify({ msg: scrubText(line.slice(0, MAX_TEXT).trim()) })}\n`;
  }
  const { level, time, pid, name, msg, ...rest } = value;
  const frame = { level, time, pid, name };
  const scrubbed =
    line.length > MAX_RAW_LINE ? undefined : JSON.stringify({ ...frame, ...scrubObject({ ...rest, msg }) });
  if (scrubbed !== undefined && scrubbed.length <= MAX_LINE) return `${scrubbed}\n`;
  return `${JSON.stringify({ ...frame, ...scrubObject({ msg, leftOutCharacters: line.length }) })}\n`;
}

function scrub(value: unknown, parents: Set<object>, depth: number): unknown {
  if (typeof value === 'string') return scrubText(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}...` : value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  const byteLength = byteLengthOf(value);
  if (byteLength !== undefined) return `[${byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (parents.has(value)) return '[circular]';
  if (depth >= MAX_DEPTH) return '[deeper]';
  parents.add(value);
  const scrubbed = scrubInside(value, (inner) => scrub(inner, parents, depth + 1));
  parents.delete(value);
  return scrubbed;
}

function scrubInside(value: object, inner: (value: unknown) => unknown): unknown {
  if (Array.isArray(value) || value instanceof Set) return [...value].slice(0, MAX_ITEMS).map(inner);
  const result: Record<string, unknown> = {};
  for (const [key, item] of entriesOf(value).slice(0, MAX_ITEMS)) {
    const isHidden = item !== undefined && item !== null && typeof item !== 'boolean' && isSecretName(key);
    result[key.length < MIN_SECRET_KEY ? key : scrubText(key)] = isHidden ? REDACTED : inner(item);
  }
  return result;
}

function entriesOf(value: object): [string, unknown][] {
  if (value instanceof Map) return [...value].map(([key, item]) => [String(key), item]);
  const own = Object.entries(value).filter(([, item]) => typeof item !== 'function');
  if (!(value instanceof Error)) return own;
  const cause: [string, unknown][] = value.cause === undefined ? [] : [['cause', value.cause]];
  return [['type', value.name], ['message', value.message], ['stack', value.stack ?? ''], ...own, ...cause];
}

/** Bytes in memory, and what JSON made of a Buffer or a Uint8Array: a key written out in decimals is still a key. */
function byteLengthOf(value: object): number | undefined {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  if ('type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data))
    return value.data.length;
  const isBytes = (items: unknown[]) =>
    items.length >= 16 &&
    items.every((item) => Number.isInteger(item) && (item as number) >= 0 && (item as number) < 256);
  if (Array.isArray(value)) return isBytes(value) ? value.length : undefined;
  if (!('0' in value && '15' in value)) return undefined;
  const items = Object.values(value);
  return isBytes(items) ? items.length : undefined;
}
