/** What changed, so that a page knows what to fetch again. */
export const LIVE_KINDS = ['site', 'agents', 'incidents', 'evidence', 'orders', 'devices', 'claims'] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];

export interface LiveChange {
  kind: LiveKind;
  siteId: string | null;
  atMs: number;
}

export interface LiveListener {
  /** Must not wait. */
  onChange(change: LiveChange): void;
  /** The program stops. */
  onClose?(): void;
}

/**
 * Changes of each tenant, inside this process. Truth is in the store: an event carries no data, it is published after
 * its commit, and a listener that misses one only shows an older page until the next.
 */
export interface LiveBus {
  publish(partnerId: string, change: LiveChange): void;
  /** Answers how to stop listening. */
  subscribe(partnerId: string, listener: LiveListener): () => void;
  /** Lets hot paths skip the work for tenants nobody looks at. */
  hasListeners(partnerId: string): boolean;
  /** Tenants somebody looks at. */
  tenants(): string[];
  /** Tells every listener that the program stops, so that open answers can end. */
  close(): void;
}

export function createLiveBus({ onError }: { onError?: (error: unknown) => void } = {}): LiveBus {
  const listeners = new Map<string, Set<LiveListener>>();
  /** Publishing comes after a commit: what one page does must not make a request fail that is already done. */
  const attempt = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      onError?.(error);
    }
  };
  return {
    publish(partnerId, change) {
      for (const listener of listeners.get(partnerId) ?? []) attempt(() => listener.onChange(change));
    },
    subscribe(partnerId, listener) {
      const all = listeners.get(partnerId) ?? new Set();
      listeners.set(partnerId, all.add(listener));
      return () => {
        all.delete(listener);
        if (all.size === 0 && listeners.get(partnerId) === all) listeners.delete(partnerId);
      };
    },
    hasListeners: (partnerId) => listeners.has(partnerId),
    tenants: () => [...listeners.keys()],
    close() {
      const all = [...listeners.values()].flatMap((set) => [...set]);
      for (const listener of all) attempt(() => listener.onClose?.());
    },
  };
}
