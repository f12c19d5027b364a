import { CheckResult } from '../gen/sitewarden/agent/v1/agent.ts';
import { ReportReader } from './report-reader.ts';

const SLOTS = 2048;

const STATUS = 0x18;
const SEVERITY = 0x20;
const COLLECTED_AT_MS = 0x48;
const DURATION_MS = 0x50;
/** check, subject, controls, expected, actual, facts, reason. */
const WITH_LENGTH = new Set([0x0a, 0x12, 0x2a, 0x32, 0x3a, 0x42, 0x5a]);

interface Known {
  /** The encoded result but for its two times, which lie between. */
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly result: CheckResult;
}

/**
 * A workstation says the same about itself for weeks; only when it looked and how long that took differ. What was decoded
 * once is found by its bytes: one slot for each hash bounds the memory, equal bytes alone decide.
 */
const known: (Known | undefined)[] = new Array(SLOTS);

/**
 * The result encoded in bytes[start, end). `controls` and `facts` are frozen and shared. Undefined when the encoding is
 * not the one our own encoders write, or not to be decoded at all.
 */
export function knownResult(bytes: Buffer, start: number, end: number): CheckResult | undefined {
  const times = findTimes(bytes, start, end);
  if (times === undefined) return undefined;
  const { from, to, collectedAtMs, durationMs } = times;
  let hash = end - start - (to - from);
  for (let at = start; at < from; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  for (let at = to; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  const slot = (hash ^ (hash >>> 11)) & (SLOTS - 1);
  let found = known[slot];
  if (found === undefined || !isEqual(bytes, start, from, found.head) || !isEqual(bytes, to, end, found.tail)) {
    const result = decodeAlone(bytes, start, end);
    // A text that claims more bytes than its field has would swallow the times that were found by walking the fields.
    if (result?.collectedAtMs !== collectedAtMs || result.durationMs !== durationMs) return undefined;
    found = { head: copyOf(bytes, start, from), tail: copyOf(bytes, to, end), result };
    known[slot] = found;
  }
  const { check, subject, status, severity, controls, expected, actual, facts, reason } = found.result;
  return {
    check,
    subject,
    status,
    severity,
    controls,
    expected,
    actual,
    facts,
    collectedAtMs,
    durationMs,
    reason,
  };
}

interface Times {
  /** Where the two fields are: [from, to). */
  readonly from: number;
  readonly to: number;
  readonly collectedAtMs: number;
  readonly durationMs: number;
}

/** Walks the fields. Undefined unless each is a known one and the times, where they are not 0, stand together, once each. */
function findTimes(bytes: Buffer, start: number, end: number): Times | undefined {
  const reader = new ReportReader(bytes.subarray(0, end));
  reader.pos = start;
  let [from, to, collectedAtMs, durationMs] = [end, end, 0, 0];
  while (reader.pos < end) {
    const at = reader.pos;
    const tag = bytes[reader.pos++]!;
    const value = reader.smallInteger();
    if (value < 0) return undefined;
    if (WITH_LENGTH.has(tag)) {
      reader.pos += value;
      if (reader.pos > end) return undefined;
    } else if (tag === COLLECTED_AT_MS) {
      if (from !== end || value === 0) return undefined;
      [from, to, collectedAtMs] = [at, reader.pos, value];
    } else if (tag === DURATION_MS) {
      if (value > 0x7fff_ffff || value === 0 || durationMs !== 0 || (from !== end && to !== at)) return undefined;
      if (from === end) from = at;
      [to, durationMs] = [reader.pos, value];
    } else if (tag !== STATUS && tag !== SEVERITY) {
      return undefined;
    }
  }
  return { from, to, collectedAtMs, durationMs };
}

function isEqual(bytes: Buffer, from: number, to: number, wanted: Buffer): boolean {
  return to - from === wanted.length && bytes.compare(wanted, 0, wanted.length, from, to) === 0;
}

const copyOf = (bytes: Buffer, from: number, to: number): Buffer => Buffer.from(bytes.subarray(from, to));

/** Undefined where the generated decoder throws: it shall do so on the whole report. */
function decodeAlone(bytes: Buffer, start: number, end: number): CheckResult | undefined {
  try {
    const result = CheckResult.decode(new ReportReader(bytes.subarray(start, end)));
    Object.freeze(result.controls);
    for (const { kind } of Object.values(result.facts)) {
      if (kind?.$case === 'list') Object.freeze(kind.value.values);
      Object.freeze(kind);
    }
    Object.freeze(result.facts);
    return result;
  } catch {
    return undefined;
  }
}
