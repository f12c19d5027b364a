import { makeRoomAfter, tidyAfterCommit } from './checkpoint.ts';
import { recordFault, refusalOf } from './faults.ts';
import type { SqliteDatabase } from './types.ts';

/**
 * Runs `fn` between BEGIN IMMEDIATE and COMMIT and returns its result once the commit is on disk; any error rolls back
 * and is thrown. IMMEDIATE takes the write lock first: a read that later wants to write could meet SQLITE_BUSY_SNAPSHOT,
 * which no waiting cures. `fn` must be synchronous and must not call this again. Throws SQLITE_REOPEN_NEEDED once a sync
 * on this connection has failed.
 */
export function withTransaction<T>(db: SqliteDatabase, fn: (db: SqliteDatabase) => T): T {
  const refusal = refusalOf(db);
  if (refusal !== undefined) throw refusal;
  db.exec('BEGIN IMMEDIATE');
  let result: T;
  try {
    result = fn(db);
    if (result instanceof Promise) throw new TypeError('a transaction cannot wait: pass a synchronous function');
    db.exec('COMMIT');
  } catch (error) {
    recordFault(db, error);
    rollback(db);
    makeRoomAfter(db, error);
    throw error;
  }
  try {
    tidyAfterCommit(db);
  } catch {
    // These rows are on disk; the fault is recorded and refuses the next ones.
  }
  return result;
}

/** SQLite has already rolled back after some errors (disk full, I/O), and a second ROLLBACK would hide them. */
export function rollback(db: SqliteDatabase): void {
  if (!db.open || !db.inTransaction) return;
  try {
    db.exec('ROLLBACK');
  } catch (error) {
    // The error that led here says more; a connection that cannot roll back is of no use.
    recordFault(db, error);
  }
}
