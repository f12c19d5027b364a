import { BinaryReader } from '@bufbuild/protobuf/wire';

/** Longer texts are mostly said once. */
const MAX_KEPT_BYTES = 64;
const SLOTS = 4096;
/** Seven groups of seven bits: every integer up to 2^49 and every time for ten thousand years. */
const MAX_SMALL_GROUPS = 7;

interface Kept {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * Reports say the same short texts again and again: names of checks, controls, facts. Each is decoded once and then found
 * by its bytes, one slot for each hash, so memory is bounded and whoever fills slots only makes himself slow.
 */
const kept: (Kept | undefined)[] = new Array(SLOTS);

export class ReportReader extends BinaryReader {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super(bytes);
    this.#bytes = bytes;
  }

  override string(): string {
    const length = this.uint32();
    const start = this.pos;
    const end = start + length;
    this.pos = end;
    if (end > this.len) throw new RangeError('premature EOF');
    if (length > MAX_KEPT_BYTES) return this.#bytes.toString('utf8', start, end);
    const bytes = this.#bytes;
    let hash = length;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const slot = hash & (SLOTS - 1);
    const found = kept[slot];
    if (found !== undefined && isAt(bytes, start, found.bytes, length)) return found.text;
    const text = bytes.toString('utf8', start, end);
    kept[slot] = { bytes: Uint8Array.prototype.slice.call(bytes, start, end), text };
    return text;
  }

  /** The varint at the cursor; -1, and the cursor left where it was, when it is negative, cut off, or 2^49 and more. */
  smallInteger(): number {
    const bytes = this.#bytes;
    let value = 0;
    let weight = 1;
    for (let group = 0; group < MAX_SMALL_GROUPS; group++) {
      const byte = bytes[this.pos + group];
      if (byte === undefined) return -1;
      value += (byte & 0x7f) * weight;
      if (byte < 0x80) {
        this.pos += group + 1;
        return value;
      }
      weight *= 128;
    }
    return -1;
  }

  /** The generated code turns what this answers into a number; small ones can be one at once. */
  override int64(): bigint | string {
    const small = this.smallInteger();
    return small < 0 ? super.int64() : (small as unknown as bigint);
  }
}

function isAt(bytes: Uint8Array, start: number, wanted: Uint8Array, length: number): boolean {
  if (wanted.length !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}
