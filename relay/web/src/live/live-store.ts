import { relayClock } from '../clock/relay-clock.ts';

/** The relay ticks every 5 s: this long without an event means the stream is not live. */
export const SILENCE_MS = 10_000;
const REOPEN_MAX_MS = 10_000;

export interface LiveChange {
  kind: 'site' | 'agents' | 'incidents' | 'evidence' | 'orders' | 'devices' | 'claims';
  siteId: string | null;
}

export type LivePhase = 'connecting' | 'live' | 'stopped';

export interface LiveHandlers {
  onChange: (change: LiveChange) => void;
  /** Events were missed: everything shown may be old. */
  onResume: () => void;
  /** The relay refused the stream instead of dropping it; often the session has ended. */
  onRefused: () => void;
}

/** One event stream for the whole page, and the truth about whether it is live. */
export class LiveStore {
  #source: EventSource | null = null;
  #phase: LivePhase = 'connecting';
  #lastEventMs = 0;
  #missed = false;
  #watch: ReturnType<typeof setInterval> | undefined;
  #reopen: ReturnType<typeof setTimeout> | undefined;
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
    this.#lastEventMs = performance.now();
    this.#open();
    this.#watch = setInterval(() => this.#check(), 500);
    return () => {
      clearInterval(this.#watch);
      clearTimeout(this.#reopen);
      this.#source?.close();
      this.#handlers = null;
    };
  }

  readonly retryNow = () => this.#open();

  /** Milliseconds without an event. */
  readonly silentForMs = () => performance.now() - this.#lastEventMs;

  #open() {
    clearTimeout(this.#reopen);
    this.#reopen = undefined;
    this.#source?.close();
    const source = new EventSource('/api/events');
    source.addEventListener('tick', (event) => {
      const asOfMs = read<{ asOfMs?: number }>(event)?.asOfMs;
      if (typeof asOfMs === 'number') relayClock.observe(asOfMs);
      this.#heard();
    });
    source.addEventListener('change', (event) => {
      this.#heard();
      const change = read<LiveChange>(event);
      if (change) this.#handlers?.onChange(change);
    });
    // The session ended or the relay stops; the browser connects again and learns which.
    source.addEventListener('end', () => this.#handlers?.onRefused());
    source.addEventListener('error', () => this.#failed(source));
    this.#source = source;
  }

  /** The browser reconnects by itself after a lost connection, never after a refusal. */
  #failed(source: EventSource) {
    this.#missed = true;
    if (source.readyState !== EventSource.CLOSED || this.#reopen !== undefined) return;
    this.#handlers?.onRefused();
    this.#reopen = setTimeout(() => this.#open(), 1000 + Math.random() * REOPEN_MAX_MS);
  }

  #heard() {
    this.#lastEventMs = performance.now();
    const missed = this.#missed;
    this.#missed = false;
    this.#set('live');
    if (missed) this.#handlers?.onResume();
  }

  #check() {
    if (this.silentForMs() < SILENCE_MS) return;
    // A connection that is open and silent is dead in a way nobody reported.
    if (this.#phase === 'live' && this.#source?.readyState === EventSource.OPEN) this.#open();
    this.#missed = true;
    this.#set('stopped');
  }

  #set(phase: LivePhase) {
    if (this.#phase === phase) return;
    this.#phase = phase;
    for (const each of this.#listeners) each();
  }
}

function read<T>(event: MessageEvent): T | null {
  try {
    return JSON.parse(event.data) as T;
  } catch {
    return null;
  }
}
