import type { Clock } from '@sitewarden/kit/time';

export interface StoreFault {
  /** Of the operating system or SQLite: ENOSPC, SQLITE_FULL. */
  readonly code: string;
  readonly sinceMs: number;
}

/** Whether what the agent finds can be stored; told by whoever writes. */
export interface StoreHealth {
  readonly fault: StoreFault | undefined;
  failed(error: unknown): void;
  worked(): void;
}

/** `onFault` hears each code once, until something could be stored again. */
export function createStoreHealth(clock: Clock, onFault: (code: string) => void = () => {}): StoreHealth {
  let fault: StoreFault | undefined;
  return {
    get fault() {
      return fault;
    },
    failed(error) {
      if (fault !== undefined) return;
      fault = { code: codeOf(error), sinceMs: clock.nowMs() };
      onFault(fault.code);
    },
    worked() {
      fault = undefined;
    },
  };
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code ?? 'UNKNOWN');
