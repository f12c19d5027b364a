import { CheckResult } from '../gen/sitewarden/agent/v1/agent.ts';
import type { ReportReader } from './report-reader.ts';

/** Larger ones are rare, and what is kept is bounded: 4 MiB as they came, a few times as much decoded. */
const MAX_KEPT_BYTES = 1024;
const SLOTS = 4096;

const COLLECTED_AT = (9 << 3) | 0;
const DURATION = (10 << 3) | 0;
const REASON = (11 << 3) | 2;

interface Kept {
  /** The fields before the two times, and those after them. */
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  readonly result: CheckResult;
}

/**
 * A workstation says the same results again and again, at other times. Each is decoded once and then found by its bytes,
 * one slot for each hash, so memory is bounded and whoever fills slots only makes himself slow.
 */
const kept: (Kept | undefined)[] = new Array(SLOTS);

/** The result that stands at the reader's place, as `CheckResult.decode` reads it. */
export function readResult(reader: ReportReader, bytes: Buffer, length: number): CheckResult {
  const start = reader.pos;
  const end = start + length;
  const headEnd = length > MAX_KEPT_BYTES || end > reader.len ? -1 : findTimes(bytes, start, end);
  if (headEnd < 0) return CheckResult.decode(reader, length);
  reader.pos = headEnd + 1;
  const collectedAtMs = reader.smallInteger();
  let durationMs = 0;
  if (bytes[reader.pos] === DURATION) {
    reader.pos += 1;
    durationMs = reader.smallInteger();
  }
  const tailStart = reader.pos;
  // More than 31 bits would be cut by the decoder.
  const isUsual = collectedAtMs >= 0 && durationMs >= 0 && durationMs <= 0x7fff_ffff && isReason(bytes, tailStart, end);
  reader.pos = isUsual ? end : start;
  if (!isUsual) return CheckResult.decode(reader, length);

  const slot = hashOf(bytes, start, headEnd, hashOf(bytes, tailStart, end, length)) & (SLOTS - 1);
  const found = kept[slot];
  if (found !== undefined && isAt(bytes, start, headEnd, found.head) && isAt(bytes, tailStart, end, found.tail)) {
    return at(found.result, collectedAtMs, durationMs);
  }
  reader.pos = start;
  const result = CheckResult.decode(reader, length);
  // Only what an encoder writes is kept: a length inside it that says too much would make the words depend on the times.
  const isPlain = reader.pos === end && bytes.compare(CheckResult.encode(result).finish(), 0, length, start, end) === 0;
  if (!isPlain) return result;
  Object.freeze(result.controls);
  Object.freeze(result.facts);
  kept[slot] = { head: copyOf(bytes, start, headEnd), tail: copyOf(bytes, tailStart, end), result };
  return result;
}

/** The same words at another time. */
function at(said: CheckResult, collectedAtMs: number, durationMs: number): CheckResult {
  const { check, subject, status, severity, controls, expected, actual, facts, reason } = said;
  return { check, subject, status, severity, controls, expected, actual, facts, collectedAtMs, durationMs, reason };
}

/** Where the first of the two times stands, when only fields before it in number come before it; else -1. */
function findTimes(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const tag = bytes[at]!;
    if (tag === COLLECTED_AT) return at;
    // The decoder ends at a field without a number.
    if (tag > COLLECTED_AT || tag < 8) return -1;
    at += 1;
    const first = bytes[at]!;
    // Status and severity are small; what is longer than two groups does not fit into what is kept.
    if ((tag & 7) === 0) {
      if (first >= 0x80) return -1;
      at += 1;
    } else if ((tag & 7) === 2) {
      if (first < 0x80) at += 1 + first;
      else if (bytes[at + 1]! < 0x80) at += 2 + (first & 0x7f) + bytes[at + 1]! * 128;
      else return -1;
    } else return -1;
  }
  return -1;
}

/** Whether nothing is left, or only the reason. */
function isReason(bytes: Buffer, start: number, end: number): boolean {
  if (start === end) return true;
  if (bytes[start] !== REASON) return false;
  const first = bytes[start + 1]!;
  if (first < 0x80) return start + 2 + first === end;
  const second = bytes[start + 2]!;
  return second < 0x80 && start + 3 + (first & 0x7f) + second * 128 === end;
}

function hashOf(bytes: Buffer, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  return hash;
}

const isAt = (bytes: Buffer, start: number, end: number, wanted: Uint8Array): boolean =>
  wanted.length === end - start && bytes.compare(wanted, 0, wanted.length, start, end) === 0;

const copyOf = (bytes: Buffer, start: number, end: number): Uint8Array =>
  Uint8Array.prototype.slice.call(bytes, start, end);
