import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Wall time may jump either way; monotonic time starts anywhere, never goes back, and stops with the process. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Whole and fractional milliseconds since an arbitrary point. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

let known: string | undefined;

/** Changes with every boot of the kernel; where the kernel gives none, with every start of the process. */
export function bootId(): string {
  known ??= readBootId() ?? randomUUID();
  return known;
}

function readBootId(): string | undefined {
  try {
    const text = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return /^[0-9a-f-]{36}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
