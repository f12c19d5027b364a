/** The relay ticks every 5 s: this long without an event means the stream is not live. */
export const SILENCE_MS = 10_000;

export interface LiveChange {
  kind: 'site' | 'agents' | 'incidents' | 'evidence' | 'orders' | 'devices' | 'claims';
  siteId: string | null;
}

/**
 * What a page hears of the stream. `lost`: events may be missed from here on. `refused`: the relay ended the stream or
 * would not open it, often because the session has ended. `opening`: a stream that was closed on purpose is opened again.
 */
export type FeedEvent =
  | { type: 'tick'; asOfMs: number }
  | { type: 'change'; change: LiveChange }
  | { type: 'lost' | 'refused' | 'opening' };

/** What a page tells the shared worker. */
export type FeedRequest = 'reopen' | 'leave';
