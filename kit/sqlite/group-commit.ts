import { kitErrors } from '../errors/index.ts';
import { BatchQueue } from './batch-queue.ts';
import { makeRoomAfter, tidyAfterCommit } from './checkpoint.ts';
import { recordFault, refusalOf } from './faults.ts';
import { rollback } from './transaction.ts';
import type { SqliteDatabase } from './types.ts';

export interface GroupCommitOptions<T, R> {
  readonly db: SqliteDatabase;
  /** Writes the batch inside one IMMEDIATE transaction; answers one result an item, in order. Must not wait. */
  commit(batch: readonly T[]): R[];
  /** Items in one transaction. Default 100. */
  readonly maxBatch?: number;
  /** How long the first item of a batch may wait for others. Default 5. */
  readonly maxDelayMs?: number;
  /** Items waiting; more are refused with QUEUE_FULL. Default 10000. */
  readonly maxQueue?: number;
  /**
   * Told once a failed batch. `needsReopen`: the disk failed, nothing more is accepted on this connection. `size` is 0
   * when only moving the WAL failed: then every acknowledged item is safe.
   */
  onError?(error: unknown, batch: { size: number; needsReopen: boolean }): void;
}

/**
 * Turns many small writes into few synced ones. A promise resolves only after COMMIT returned, that is once the rows are
 * on disk. Gathering goes on while each turn of the event loop brings more items, up to `maxBatch` or `maxDelayMs`: a lone
 * item on an idle loop is written within microseconds, a busy loop fills its batches by itself.
 */
export class GroupCommit<T, R> {
  readonly #options: GroupCommitOptions<T, R>;
  readonly #queue: BatchQueue<T, R>;
  readonly #maxBatch: number;
  readonly #maxDelayMs: number;
  readonly #maxQueue: number;
  readonly #begin: { run(): unknown };
  readonly #commit: { run(): unknown };
  #isScheduled = false;
  #seenSize = 0;
  #gatheringSinceMs = 0;
  #isClosed = false;

  constructor(options: GroupCommitOptions<T, R>) {
    this.#options = options;
    this.#maxBatch = options.maxBatch ?? 100;
    this.#maxDelayMs = options.maxDelayMs ?? 5;
    this.#maxQueue = options.maxQueue ?? 10_000;
    this.#queue = new BatchQueue(this.#maxBatch);
    this.#begin = options.db.prepare('BEGIN IMMEDIATE');
    this.#commit = options.db.prepare('COMMIT');
  }

  /** Items accepted and not yet on disk. */
  get size(): number {
    return this.#queue.size;
  }

  /** Rejects with QUEUE_FULL, QUEUE_CLOSED, SQLITE_REOPEN_NEEDED, or with the error that rolled the batch back. */
  add(item: T): Promise<R> {
    const refusal = this.#refusal(1);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise<R>((resolve, reject) => {
      this.#queue.push(item, { resolve, reject });
      if (!this.#isScheduled) this.#schedule();
    });
  }

  /** Writes all of `items` in the same transaction, even when they are more than `maxBatch`. Rejects like `add`. */
  addAll(items: readonly T[]): Promise<R[]> {
    if (items.length === 0) return Promise.resolve([]);
    const refusal = this.#refusal(items.length);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise<R[]>((resolve, reject) => {
      this.#queue.pushAll(items, { resolve, reject });
      if (!this.#isScheduled) this.#schedule();
    });
  }

  /** Commits everything that waits, now. The promises tell how it went. */
  flush(): void {
    while (this.#queue.size > 0) this.#commitBatch();
  }

  /** Refuses new items and commits the waiting ones. The database stays open. */
  close(): void {
    this.#isClosed = true;
    this.flush();
  }

  #refusal(count: number): Error | undefined {
    if (this.#isClosed) return kitErrors.make('QUEUE_CLOSED');
    const waiting = this.#queue.size;
    if (waiting + count <= this.#maxQueue) return refusalOf(this.#options.db);
    return kitErrors.make('QUEUE_FULL', { data: { waiting, limit: this.#maxQueue } });
  }

  #schedule(): void {
    this.#isScheduled = true;
    this.#seenSize = 0;
    this.#gatheringSinceMs = performance.now();
    setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    const { size } = this.#queue;
    const isGrowing = size > this.#seenSize;
    if (size < this.#maxBatch && isGrowing && performance.now() - this.#gatheringSinceMs < this.#maxDelayMs) {
      this.#seenSize = size;
      setImmediate(this.#onTurn);
      return;
    }
    if (size > 0) this.#commitBatch();
    // What is left goes on the next turn, so that sockets are read between two batches.
    if (this.#queue.size > 0) this.#schedule();
    else this.#isScheduled = false;
  };

  #commitBatch(): void {
    const batch = this.#queue.take();
    if (batch === undefined) return;
    let results: R[];
    try {
      results = this.#write(batch.items);
    } catch (error) {
      const needsReopen = recordFault(this.#options.db, error);
      batch.rejectAll(error);
      this.#options.onError?.(error, { size: batch.items.length, needsReopen });
      return;
    }
    batch.resolveAll(results);
    try {
      tidyAfterCommit(this.#options.db);
    } catch (error) {
      this.#options.onError?.(error, { size: 0, needsReopen: recordFault(this.#options.db, error) });
    }
  }

  #write(items: readonly T[]): R[] {
    const { db, commit } = this.#options;
    const refusal = refusalOf(db);
    if (refusal !== undefined) throw refusal;
    this.#begin.run();
    try {
      const results = commit(items);
      if (results.length !== items.length) {
        throw new TypeError(`commit answered ${results.length} results for ${items.length} items`);
      }
      this.#commit.run();
      return results;
    } catch (error) {
      rollback(db);
      makeRoomAfter(db, error);
      throw error;
    }
  }
}
