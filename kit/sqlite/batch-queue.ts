/** How the one who added an item hears of it. */
export interface Waiter<R> {
  resolve(result: R): void;
  reject(error: unknown): void;
}

/** Items written together, and who waits for them: one waiter for each item, or for a run of items. */
export class Batch<T, R> {
  readonly items: T[] = [];
  readonly #waiters: (Waiter<R> | Waiter<R[]>)[] = [];
  /** Items of each waiter; 0 stands for a single one. Left empty while there are only single ones. */
  #runs: number[] | undefined;

  push(item: T, waiter: Waiter<R>): void {
    this.items.push(item);
    this.#waiters.push(waiter);
    this.#runs?.push(0);
  }

  pushAll(items: readonly T[], waiter: Waiter<R[]>): void {
    this.#runs ??= new Array<number>(this.#waiters.length).fill(0);
    for (const item of items) this.items.push(item);
    this.#waiters.push(waiter);
    this.#runs.push(items.length);
  }

  resolveAll(results: R[]): void {
    let at = 0;
    for (let i = 0; i < this.#waiters.length; i++) {
      const run = this.#runs?.[i] ?? 0;
      if (run === 0) (this.#waiters[i] as Waiter<R>).resolve(results[at++]!);
      else {
        (this.#waiters[i] as Waiter<R[]>).resolve(results.slice(at, at + run));
        at += run;
      }
    }
  }

  rejectAll(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}

/** First in, first out, in batches made while filling, so that taking one moves nothing. */
export class BatchQueue<T, R> {
  readonly #maxBatch: number;
  #full: Batch<T, R>[] = [];
  #open = new Batch<T, R>();
  #size = 0;

  constructor(maxBatch: number) {
    this.#maxBatch = maxBatch;
  }

  get size(): number {
    return this.#size;
  }

  push(item: T, waiter: Waiter<R>): void {
    this.#open.push(item, waiter);
    this.#size++;
    if (this.#open.items.length >= this.#maxBatch) this.#seal();
  }

  pushAll(items: readonly T[], waiter: Waiter<R[]>): void {
    const waiting = this.#open.items.length;
    if (waiting > 0 && waiting + items.length > this.#maxBatch) this.#seal();
    this.#open.pushAll(items, waiter);
    this.#size += items.length;
    if (this.#open.items.length >= this.#maxBatch) this.#seal();
  }

  /** The oldest batch, full or not. */
  take(): Batch<T, R> | undefined {
    if (this.#size === 0) return undefined;
    if (this.#full.length === 0) this.#seal();
    const batch = this.#full.shift()!;
    this.#size -= batch.items.length;
    return batch;
  }

  #seal(): void {
    this.#full.push(this.#open);
    this.#open = new Batch();
  }
}
