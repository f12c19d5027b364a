import type { Clock } from '@sitewarden/kit/time';

export interface RememberedError {
  readonly code: string;
  /** Since the start of the process. */
  readonly times: number;
  readonly lastAtMs: number;
}

/** Codes of what went wrong, without their words: those could name people and places. */
export interface ErrorMemory {
  note(code: string): void;
  /** Newest first. */
  read(): RememberedError[];
}

const MAX_CODES = 16;

export function createErrorMemory(clock: Pick<Clock, 'nowMs'>): ErrorMemory {
  /** The one noted last is at the end. */
  const byCode = new Map<string, RememberedError>();
  return {
    note(code) {
      const times = (byCode.get(code)?.times ?? 0) + 1;
      byCode.delete(code);
      byCode.set(code, { code, times, lastAtMs: clock.nowMs() });
      if (byCode.size > MAX_CODES) byCode.delete(byCode.keys().next().value as string);
    },
    read: () => [...byCode.values()].reverse(),
  };
}
