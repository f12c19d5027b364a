import { makeRoomAfter, type SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { ControlledTransaction, Kysely, Transaction } from 'kysely';
import type { RelayDatabase } from '../schema.ts';

type Work = (trx: Transaction<RelayDatabase>) => Promise<unknown>;
type Outcome = { ok: true; value: unknown } | { ok: false; error: unknown };
interface Job {
  work: Work;
  settle(outcome: Outcome): void;
}

/** One sync to disk for at most this many callers, and no caller waits longer for the others before it. */
const MAX_GROUP = 64;
const MAX_GROUP_MS = 5;

/**
 * The one writer. Callers run one after another; those that wait at the same time share a commit, each inside its own
 * savepoint, so that a disk with slow syncs carries many small writes. A caller hears of its result, good or bad, only
 * after the shared commit is on disk: a refusal may rest on what an earlier caller of the group wrote.
 */
export class SqliteTransactions {
  readonly #kysely: Kysely<RelayDatabase>;
  readonly #db: SqliteDatabase;
  readonly #queue: Job[] = [];
  #draining: Promise<void> | undefined;
  #isStuck = false;

  constructor(kysely: Kysely<RelayDatabase>, db: SqliteDatabase) {
    this.#kysely = kysely;
    this.#db = db;
  }

  run<T>(work: (trx: Transaction<RelayDatabase>) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (outcome: Outcome) => (outcome.ok ? resolve(outcome.value as T) : reject(outcome.error));
      this.#queue.push({ work, settle });
      this.#draining ??= this.#drain();
    });
  }

  /** A transaction could not be ended: this connection is of no use any more. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** Resolves when everything accepted so far is settled. */
  async idle(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
  }

  async #drain(): Promise<void> {
    // Lets callers of the same turn of the event loop gather into one group.
    await null;
    while (this.#queue.length > 0) {
      const settled = await this.#runGroup();
      for (const { job, outcome } of settled) job.settle(outcome);
      // Sockets are read between two groups.
      if (this.#queue.length > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#draining = undefined;
  }

  async #runGroup(): Promise<{ job: Job; outcome: Outcome }[]> {
    const done: { job: Job; outcome: Outcome }[] = [];
    try {
      const trx = await this.#kysely.startTransaction().execute();
      try {
        const beganMs = performance.now();
        while (done.length < MAX_GROUP && performance.now() - beganMs < MAX_GROUP_MS) {
          const job = this.#queue.shift();
          if (job === undefined) break;
          const entry = { job, outcome: { ok: false, error: undefined } as Outcome };
          done.push(entry);
          entry.outcome = await this.#runOne(trx, job.work);
        }
        await trx.commit().execute();
      } catch (error) {
        if (!trx.isCommitted) await this.#end(trx);
        makeRoomAfter(this.#db, error);
        throw error;
      }
      return done;
    } catch (error) {
      if (done.length === 0) done.push(...this.#queue.splice(0, 1).map((job) => ({ job, outcome: failed(error) })));
      return done.map(({ job }) => ({ job, outcome: failed(error) }));
    }
  }

  /** Whatever failed, Kysely gives its only connection back here; else every later caller waits for good. */
  async #end(trx: ControlledTransaction<RelayDatabase>): Promise<void> {
    try {
      await trx.rollback().execute();
    } catch {
      // The error that led here says more.
      this.#isStuck = true;
    }
  }

  async #runOne(trx: Transaction<RelayDatabase>, work: Work): Promise<Outcome> {
    this.#db.exec('SAVEPOINT caller');
    try {
      const value = await work(trx);
      this.#db.exec('RELEASE caller');
      return { ok: true, value };
    } catch (error) {
      // After a disk fault SQLite has rolled back everything: then the whole group fails with it.
      if (!this.#db.inTransaction) throw error;
      this.#db.exec('ROLLBACK TO caller');
      this.#db.exec('RELEASE caller');
      return failed(error);
    }
  }
}

function failed(error: unknown): Outcome {
  return { ok: false, error };
}
