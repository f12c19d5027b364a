import { kitErrors } from '../errors/index.ts';
import { rollback } from './transaction.ts';
import type { SqliteDatabase } from './types.ts';

export interface GroupCommitOptions<T, R> {
  readonly db: SqliteDatabase;
  /** Writes the batch inside one IMMEDIATE transaction; answers one result an item, in order. Must not wait. */
  commit(batch: T[]): R[];
  /** Items in one transaction. Default 100. */
  readonly maxBatch?: number;
  /** How long the first item of a batch may wait for others. Default 5. */
  readonly maxDelayMs?: number;
  /** Items waiting; more are refused with QUEUE_FULL. Default 10000. */
  readonly maxQueue?: number;
  /** Told once a failed batch. `needsReopen`: the disk failed, so this object accepts nothing any more. */
  onError?(error: unknown, batch: { size: number; needsReopen: boolean }): void;
}

interface Waiter<R> {
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * Turns many small writes into few synced ones. A promise resolves only after COMMIT returned, that is once the rows are
 * on disk. Gathering goes on while each turn of the event loop brings more items, up to `maxBatch` or `maxDelayMs`: a lone
 * item on an idle loop is written within microseconds, a busy loop fills its batches by itself.
 */
export class GroupCommit<T, R> {
  readonly #options: GroupCommitOptions<T, R>;
  readonly #maxBatch: number;
  readonly #maxDelayMs: number;
  readonly #maxQueue: number;
  readonly #begin: { run(): unknown };
  readonly #commit: { run(): unknown };
  #items: T[] = [];
  #waiters: Waiter<R>[] = [];
  #isScheduled = false;
  #seenLength = 0;
  #gatheringSinceMs = 0;
  #isClosed = false;
  #failure: unknown;

  constructor(options: GroupCommitOptions<T, R>) {
    this.#options = options;
    this.#maxBatch = options.maxBatch ?? 100;
    this.#maxDelayMs = options.maxDelayMs ?? 5;
    this.#maxQueue = options.maxQueue ?? 10_000;
    this.#begin = options.db.prepare('BEGIN IMMEDIATE');
    this.#commit = options.db.prepare('COMMIT');
  }

  /** Items accepted and not yet on disk. */
  get size(): number {
    return this.#items.length;
  }

  /** Rejects with QUEUE_FULL, QUEUE_CLOSED, SQLITE_REOPEN_NEEDED, or with the error that rolled the batch back. */
  add(item: T): Promise<R> {
    const refusal = this.#refusal(1);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise<R>((resolve, reject) => {
      this.#items.push(item);
      this.#waiters.push({ resolve, reject });
      if (!this.#isScheduled) this.#schedule();
    });
  }

  /** Commits everything that waits, now. The promises tell how it went. */
  flush(): void {
    while (this.#items.length > 0) this.#commitBatch();
  }

  /** Refuses new items and commits the waiting ones. */
  close(): void {
    this.#isClosed = true;
    this.flush();
  }

  #refusal(count: number): Error | undefined {
    if (this.#failure !== undefined) return kitErrors.make('SQLITE_REOPEN_NEEDED', { cause: this.#failure });
    if (this.#isClosed) return kitErrors.make('QUEUE_CLOSED');
    if (this.#items.length + count <= this.#maxQueue) return undefined;
    return kitErrors.make('QUEUE_FULL', { data: { waiting: this.#items.length, limit: this.#maxQueue } });
  }

  #schedule(): void {
    this.#isScheduled = true;
    this.#seenLength = 0;
    this.#gatheringSinceMs = performance.now();
    setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    const length = this.#items.length;
    const isGrowing = length > this.#seenLength;
    if (length < this.#maxBatch && isGrowing && performance.now() - this.#gatheringSinceMs < this.#maxDelayMs) {
      this.#seenLength = length;
      setImmediate(this.#onTurn);
      return;
    }
    if (length > 0) this.#commitBatch();
    // What is left goes on the next turn, so that sockets are read between two batches.
    if (this.#items.length > 0) this.#schedule();
    else this.#isScheduled = false;
  };

  #commitBatch(): void {
    const isAll = this.#items.length <= this.#maxBatch;
    const items = isAll ? this.#items : this.#items.splice(0, this.#maxBatch);
    const waiters = isAll ? this.#waiters : this.#waiters.splice(0, this.#maxBatch);
    if (isAll) {
      this.#items = [];
      this.#waiters = [];
    }
    let results: R[];
    try {
      results = this.#write(items);
    } catch (error) {
      this.#fail(error, waiters);
      return;
    }
    for (let i = 0; i < waiters.length; i++) waiters[i]!.resolve(results[i]!);
  }

  #write(items: T[]): R[] {
    if (this.#failure !== undefined) throw kitErrors.make('SQLITE_REOPEN_NEEDED', { cause: this.#failure });
    const { db, commit } = this.#options;
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
      throw error;
    }
  }

  /** After a failed sync the kernel may call lost pages clean, so a later sync proves nothing: only a reopen does. */
  #fail(error: unknown, waiters: Waiter<R>[]): void {
    const needsReopen = isDiskFault(error);
    if (needsReopen) this.#failure ??= error;
    for (const waiter of waiters) waiter.reject(error);
    this.#options.onError?.(error, { size: waiters.length, needsReopen });
  }
}

function isDiskFault(error: unknown): boolean {
  const code = String((error as { code?: unknown } | undefined)?.code);
  return code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}
