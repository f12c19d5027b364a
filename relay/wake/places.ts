import { createLru } from '../lib/lru.ts';

export type PlaceFault = 'RATE_LIMITED' | 'OVERLOADED';

export interface PlaceLimits {
  readonly maxConnections: number;
  /** Connections that have not proved who they are: of everybody, and of one address. */
  readonly maxPending: number;
  readonly maxPendingPerAddress: number;
  /** New connections of one address in a minute, and of one box. */
  readonly opensPerMinute: number;
  readonly boxOpensPerMinute: number;
}

/** A taken place. */
export interface Place {
  /** It proved that it is a box: it stops counting as one of an address. */
  prove(): void;
  /** Idempotent. */
  leave(): void;
}

export interface Places {
  /** `nowMs` monotonic. */
  take(address: string, nowMs: number): Place | PlaceFault;
  /** Whether a box that proved itself may come back so soon. */
  mayReturn(applianceId: string, nowMs: number): boolean;
  count(): { readonly open: number; readonly pending: number };
}

const WINDOW_MS = 60_000;
const MAX_KEYS = 50_000;

function createWindows(max: number) {
  const windows = createLru<string, { sinceMs: number; count: number }>(MAX_KEYS);
  return (key: string, nowMs: number): boolean => {
    let window = windows.get(key);
    if (window === undefined || nowMs - window.sinceMs >= WINDOW_MS) {
      window = { sinceMs: nowMs, count: 0 };
      windows.set(key, window);
    }
    window.count += 1;
    return window.count <= max;
  };
}

/** Counts connections; who has not proved anything can take neither the places of boxes nor those of other addresses. */
export function createPlaces(limits: PlaceLimits): Places {
  const pendingOf = new Map<string, number>();
  const mayOpen = createWindows(limits.opensPerMinute);
  const mayReturn = createWindows(limits.boxOpensPerMinute);
  let open = 0;
  let pending = 0;

  function settle(address: string): void {
    pending -= 1;
    const left = (pendingOf.get(address) ?? 1) - 1;
    if (left === 0) pendingOf.delete(address);
    else pendingOf.set(address, left);
  }

  return {
    take(address, nowMs) {
      if (!mayOpen(address, nowMs)) return 'RATE_LIMITED';
      const ofAddress = pendingOf.get(address) ?? 0;
      if (ofAddress >= limits.maxPendingPerAddress) return 'RATE_LIMITED';
      if (open >= limits.maxConnections || pending >= limits.maxPending) return 'OVERLOADED';
      pendingOf.set(address, ofAddress + 1);
      pending += 1;
      open += 1;
      let isPending = true;
      let isOpen = true;
      const prove = () => {
        if (isPending) settle(address);
        isPending = false;
      };
      return {
        prove,
        leave() {
          if (!isOpen) return;
          isOpen = false;
          open -= 1;
          prove();
        },
      };
    },
    mayReturn,
    count: () => ({ open, pending }),
  };
}
