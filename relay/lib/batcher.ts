export interface BatcherOptions<T, R> {
  /** Resolves after the commit with one result an item, in order. */
  commit(items: T[]): Promise<R[]>;
  maxBatch: number;
  /** How long the first item of a batch may wait for others while more keep coming. */
  maxDelayMs: number;
  /** Items waiting; `add` answers undefined beyond it. */
  maxQueue: number;
}

interface Waiter<R> {
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * Gathers what arrives together into one commit. One commit runs at a time; what comes meanwhile is the next batch, so
 * a slow disk makes batches larger and not the queue longer. A lone item waits for one turn of the event loop only.
 */
export class Batcher<T, R> {
  readonly #options: BatcherOptions<T, R>;
  #items: T[] = [];
  #waiters: Waiter<R>[] = [];
  #isBusy = false;
  #seen = 0;
  #sinceMs = 0;

  constructor(options: BatcherOptions<T, R>) {
    this.#options = options;
  }

  add(item: T): Promise<R> | undefined {
    if (this.#items.length >= this.#options.maxQueue) return undefined;
    return new Promise<R>((resolve, reject) => {
      this.#items.push(item);
      this.#waiters.push({ resolve, reject });
      if (!this.#isBusy) this.#gather();
    });
  }

  #gather(): void {
    this.#isBusy = true;
    this.#seen = 0;
    this.#sinceMs = performance.now();
    setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    const { maxBatch, maxDelayMs } = this.#options;
    const length = this.#items.length;
    if (length < maxBatch && length > this.#seen && performance.now() - this.#sinceMs < maxDelayMs) {
      this.#seen = length;
      setImmediate(this.#onTurn);
      return;
    }
    void this.#flush();
  };

  async #flush(): Promise<void> {
    const { maxBatch, commit } = this.#options;
    const items = this.#items.splice(0, maxBatch);
    const waiters = this.#waiters.splice(0, maxBatch);
    try {
      const results = await commit(items);
      for (let at = 0; at < waiters.length; at += 1) waiters[at]?.resolve(results[at] as R);
    } catch (error) {
      for (const waiter of waiters) waiter.reject(error);
    }
    if (this.#items.length > 0) this.#gather();
    else this.#isBusy = false;
  }
}
