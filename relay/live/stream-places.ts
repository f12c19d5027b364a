import { relayErrors } from '../errors.ts';

/** All tabs of a browser share one stream; ten leave room for browsers without that and for reconnects. */
export const MAX_STREAMS_PER_SESSION = 10;
/** A place comes free when a page is closed, so nobody can say when. */
const RETRY_AFTER_S = 30;

export interface StreamPlaces {
  /** Answers how to give the place back. Throws RATE_LIMITED when the session or the program has no place left. */
  take(sessionHash: string): () => void;
  count(): number;
}

/** Counts open event streams: each costs a connection and a look at its session every second. */
export function createStreamPlaces(maxStreams: number): StreamPlaces {
  const bySession = new Map<string, number>();
  let open = 0;
  return {
    take(sessionHash) {
      const ofSession = bySession.get(sessionHash) ?? 0;
      if (ofSession >= MAX_STREAMS_PER_SESSION) throw full(`This session has ${ofSession} event streams open`);
      if (open >= maxStreams)
        throw full(`This relay serves ${open} event streams, as many as limits.eventStreams allows`);
      bySession.set(sessionHash, ofSession + 1);
      open += 1;
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        open -= 1;
        const left = (bySession.get(sessionHash) ?? 1) - 1;
        if (left === 0) bySession.delete(sessionHash);
        else bySession.set(sessionHash, left);
      };
    },
    count: () => open,
  };
}

const full = (detail: string) =>
  relayErrors.make('RATE_LIMITED', { detail: `${detail}. Close one`, data: { retryAfterS: RETRY_AFTER_S } });
