/** A relay time this far behind the newest one is a late answer; further behind, the relay's clock was set back. */
const SET_BACK_MS = 60_000;

/**
 * The relay's clock as this page knows it: the newest time the relay named plus what has passed here since on a
 * monotonic clock. The clock of the device that shows the page is never asked: it may be wrong by hours.
 */
export class RelayClock {
  #asOfMs: number | null = null;
  #markMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #listeners = new Set<() => void>();

  /** Takes a time the relay named just now. */
  observe(asOfMs: number): void {
    if (this.#asOfMs !== null && asOfMs < this.#asOfMs && asOfMs > this.#asOfMs - SET_BACK_MS) return;
    this.#asOfMs = asOfMs;
    this.#markMs = performance.now();
  }

  /** Whole seconds only, so it counts only until an exact time is known. */
  observeDateHeader(value: string | null): void {
    const atMs = value === null ? Number.NaN : Date.parse(value);
    if (this.#asOfMs === null && Number.isFinite(atMs)) this.observe(atMs);
  }

  /** Unix ms, or null while the relay has not named a time yet. */
  nowMs(): number | null {
    return this.#asOfMs === null ? null : this.#asOfMs + (performance.now() - this.#markMs);
  }

  /** The newest time the relay itself named. */
  get lastNamedMs(): number | null {
    return this.#asOfMs;
  }

  /** Calls back every second. One timer serves all. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => {
      for (const each of this.#listeners) each();
    }, 1000);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  };
}

export const relayClock = new RelayClock();
