/** What changed, so that a page knows what to fetch again. */
export const LIVE_KINDS = ['site', 'agents', 'incidents', 'evidence', 'orders', 'devices', 'claims'] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];

export interface LiveChange {
  kind: LiveKind;
  siteId: string | null;
  atMs: number;
}

type Listener = (change: LiveChange) => void;

/**
 * Changes of each tenant, inside this process. Truth is in the store: an event carries no data, it is published after
 * its commit, and a listener that misses one only shows an older page until the next.
 */
export interface LiveBus {
  /** Never throws and never waits. */
  publish(partnerId: string, change: LiveChange): void;
  subscribe(partnerId: string, listener: Listener): () => void;
  /** Lets hot paths skip the work for tenants nobody looks at. */
  hasListeners(partnerId: string): boolean;
  /** Tenants somebody looks at. */
  tenants(): string[];
}

export function createLiveBus(options: { onError?: (error: unknown) => void } = {}): LiveBus {
  const listeners = new Map<string, Set<Listener>>();
  return {
    publish(partnerId, change) {
      for (const listener of listeners.get(partnerId) ?? []) {
        try {
          listener(change);
        } catch (error) {
          options.onError?.(error);
        }
      }
    },
    subscribe(partnerId, listener) {
      // A wrapper of its own, so that one function may subscribe twice.
      const own: Listener = (change) => listener(change);
      const all = listeners.get(partnerId) ?? new Set();
      listeners.set(partnerId, all.add(own));
      return () => {
        all.delete(own);
        if (all.size === 0 && listeners.get(partnerId) === all) listeners.delete(partnerId);
      };
    },
    hasListeners: (partnerId) => listeners.has(partnerId),
    tenants: () => [...listeners.keys()],
  };
}
