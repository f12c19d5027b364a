export const CHANGE_KINDS = ['site', 'agents', 'incidents', 'evidence', 'orders', 'devices', 'claims'] as const;

/** What changed, so that a page knows what to fetch again; never the data itself. */
export interface Change {
  readonly kind: (typeof CHANGE_KINDS)[number];
  readonly siteId: string | null;
}

/** Tells open pages of one tenant about changes. Published after the commit, never inside a transaction. */
export interface LiveHub {
  publish(partnerId: string, change: Change): void;
  /** Answers how to stop listening. */
  subscribe(partnerId: string, listener: (change: Change) => void): () => void;
}
