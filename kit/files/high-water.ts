import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';

export interface HighWaterMark {
  /** The greatest value ever raised to, as far as the file still tells; 0 for a new one. */
  readonly value: number;
  /** A lower value is ignored. Microseconds: nothing is synced. */
  raise(value: number): void;
  close(): void;
}

const SLOT_BYTES = 16;
const SEAL = 0x5357_4d41_524b_3031n;

/**
 * A number beside a database that tells how far it had come. SQLite cuts a damaged WAL tail without a word; a greatest
 * sequence number below the mark proves that rows were lost. Raise it after the commit. It is not synced: a power cut may
 * set it back, which hides a loss but never invents one. Two slots are written in turn, so a torn write spoils only one.
 */
export function openHighWaterMark(path: string): HighWaterMark {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const slots = Buffer.alloc(SLOT_BYTES * 2);
  readSync(fd, slots, 0, Math.min(slots.length, fstatSync(fd).size), 0);
  const values = [readSlot(slots, 0), readSlot(slots, SLOT_BYTES)];
  let value = Math.max(...values);
  let next = values[0]! > values[1]! ? 1 : 0;
  const record = Buffer.alloc(SLOT_BYTES);
  return {
    get value() {
      return value;
    },
    raise(to) {
      if (to <= value) return;
      record.writeBigUInt64BE(BigInt(to), 0);
      record.writeBigUInt64BE(BigInt(to) ^ SEAL, 8);
      writeSync(fd, record, 0, SLOT_BYTES, next * SLOT_BYTES);
      value = to;
      next = 1 - next;
    },
    close: () => closeSync(fd),
  };
}

function readSlot(slots: Buffer, at: number): number {
  const value = slots.readBigUInt64BE(at);
  const isWhole = slots.readBigUInt64BE(at + 8) === (value ^ SEAL) && value <= BigInt(Number.MAX_SAFE_INTEGER);
  return isWhole ? Number(value) : 0;
}
