import { type FeedEvent, type LiveChange, SILENCE_MS } from './feed-events.ts';

const REOPEN_MAX_MS = 10_000;

/** One event stream of the relay that is kept open; runs in a page and in a shared worker alike. */
export class EventFeed {
  #source: EventSource | null = null;
  #lastEventMs = 0;
  #tick: { asOfMs: number; heardMs: number } | null = null;
  #watch: ReturnType<typeof setInterval> | undefined;
  #reopen: ReturnType<typeof setTimeout> | undefined;
  readonly #emit: (event: FeedEvent) => void;

  constructor(emit: (event: FeedEvent) => void) {
    this.#emit = emit;
  }

  /** The relay's time now, when the stream is open and not silent. */
  liveAsOfMs(): number | null {
    const isSilent = performance.now() - this.#lastEventMs >= SILENCE_MS;
    if (this.#source?.readyState !== EventSource.OPEN || isSilent || this.#tick === null) return null;
    return this.#tick.asOfMs + (performance.now() - this.#tick.heardMs);
  }

  /** Opens the stream unless it is open or about to be. */
  ensureOpen(): void {
    if (this.#source === null || this.#source.readyState === EventSource.CLOSED) this.open();
  }

  /** Opens the stream, anew when it was open. */
  open(): void {
    this.close();
    this.#heard();
    const source = new EventSource('/api/events');
    source.addEventListener('tick', (event) => {
      this.#heard();
      const asOfMs = read<{ asOfMs?: number }>(event)?.asOfMs;
      if (typeof asOfMs !== 'number') return;
      this.#tick = { asOfMs, heardMs: performance.now() };
      this.#emit({ type: 'tick', asOfMs });
    });
    source.addEventListener('change', (event) => {
      this.#heard();
      const change = read<LiveChange>(event);
      if (change) this.#emit({ type: 'change', change });
    });
    // The session ended or the relay stops; the browser connects again and learns which.
    source.addEventListener('end', () => this.#emit({ type: 'refused' }));
    source.addEventListener('error', () => this.#failed(source));
    this.#source = source;
    this.#watch = setInterval(() => this.#check(), 1000);
  }

  close(): void {
    clearTimeout(this.#reopen);
    clearInterval(this.#watch);
    this.#reopen = undefined;
    this.#source?.close();
    this.#source = null;
    this.#tick = null;
  }

  #heard(): void {
    this.#lastEventMs = performance.now();
  }

  /** The browser reconnects by itself after a lost connection, never after a refusal. */
  #failed(source: EventSource): void {
    this.#emit({ type: 'lost' });
    if (source.readyState !== EventSource.CLOSED || this.#reopen !== undefined) return;
    this.#emit({ type: 'refused' });
    this.#reopen = setTimeout(() => this.open(), 1000 + Math.random() * REOPEN_MAX_MS);
  }

  /** A connection that is open and silent is dead in a way nobody reported. */
  #check(): void {
    if (this.#source?.readyState !== EventSource.OPEN || performance.now() - this.#lastEventMs < SILENCE_MS) return;
    this.#emit({ type: 'lost' });
    this.open();
  }
}

function read<T>(event: MessageEvent): T | null {
  try {
    return JSON.parse(event.data) as T;
  } catch {
    return null;
  }
}
