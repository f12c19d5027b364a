import { relayClock } from '../clock/relay-clock.ts';
import { type FeedEvent, type LiveChange, SILENCE_MS } from './feed-events.ts';
import { openPageFeed, type PageFeed } from './page-feed.ts';

/** Silent for this long, and every so long after: the feed itself may be gone. */
const REJOIN_MS = 30_000;

/** offline: the device itself knows that it has no network. */
export type LivePhase = 'connecting' | 'live' | 'stopped' | 'offline';

export interface LiveHandlers {
  onChange: (change: LiveChange) => void;
  /** Events were missed: everything shown may be old. */
  onResume: () => void;
  /** The relay refused the stream instead of dropping it; often the session has ended. */
  onRefused: () => void;
}

/** The truth about whether a page follows changes by itself; everything that says so asks here. */
export class LiveStore {
  #feed: PageFeed | null = null;
  #phase: LivePhase = 'connecting';
  #lastEventMs = 0;
  #lastJoinMs = 0;
  #missed = false;
  #handlers: LiveHandlers | null = null;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };
  readonly phase = (): LivePhase => this.#phase;

  start(handlers: LiveHandlers): () => void {
    this.#handlers = handlers;
    this.#lastEventMs = this.#lastJoinMs = performance.now();
    if (!navigator.onLine) this.#set('offline');
    const feed = openPageFeed((event) => this.#take(event));
    this.#feed = feed;
    const watch = setInterval(() => this.#check(), 500);
    globalThis.addEventListener('offline', this.#onOffline);
    globalThis.addEventListener('online', this.#onOnline);
    return () => {
      clearInterval(watch);
      globalThis.removeEventListener('offline', this.#onOffline);
      globalThis.removeEventListener('online', this.#onOnline);
      feed.close();
      this.#handlers = null;
    };
  }

  readonly retryNow = () => {
    this.#lastJoinMs = performance.now();
    this.#feed?.reopen();
  };

  /** Milliseconds without an event. */
  readonly silentForMs = () => performance.now() - this.#lastEventMs;

  readonly #onOffline = () => {
    this.#missed = true;
    this.#set('offline');
  };

  readonly #onOnline = () => {
    this.#begin();
    this.retryNow();
  };

  #begin() {
    this.#missed = true;
    this.#lastEventMs = performance.now();
    this.#set('connecting');
  }

  #take(event: FeedEvent) {
    if (event.type === 'tick') {
      relayClock.observe(event.asOfMs);
      this.#heard();
    } else if (event.type === 'change') {
      this.#heard();
      this.#handlers?.onChange(event.change);
    } else if (event.type === 'opening') {
      if (navigator.onLine) this.#begin();
    } else {
      this.#missed = true;
      if (event.type === 'refused') this.#handlers?.onRefused();
    }
  }

  #heard() {
    this.#lastEventMs = performance.now();
    // What still comes in of an old connection does not bring the network back.
    if (!navigator.onLine) return;
    const missed = this.#missed;
    this.#missed = false;
    this.#set('live');
    if (missed) this.#handlers?.onResume();
  }

  #check() {
    if (this.#phase === 'offline' || this.silentForMs() < SILENCE_MS) return;
    this.#missed = true;
    this.#set('stopped');
    if (this.silentForMs() > REJOIN_MS && performance.now() - this.#lastJoinMs > REJOIN_MS) this.retryNow();
  }

  #set(phase: LivePhase) {
    if (this.#phase === phase) return;
    this.#phase = phase;
    for (const each of this.#listeners) each();
  }
}
