import type { SqliteDatabase } from './types.ts';

/**
 * Runs `fn` between BEGIN IMMEDIATE and COMMIT and returns its result once the commit is on disk; any error rolls back
 * and is thrown. IMMEDIATE takes the write lock first: a read that later wants to write could meet SQLITE_BUSY_SNAPSHOT,
 * which no waiting cures. `fn` must be synchronous, and a call inside a transaction is refused by SQLite.
 */
export function withTransaction<T>(db: SqliteDatabase, fn: (db: SqliteDatabase) => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = fn(db);
    if (result instanceof Promise) throw new TypeError('a transaction cannot wait: pass a synchronous function');
    db.exec('COMMIT');
    return result;
  } catch (error) {
    rollback(db);
    throw error;
  }
}

/** SQLite has already rolled back after some errors (disk full, I/O), and a second ROLLBACK would hide them. */
export function rollback(db: SqliteDatabase): void {
  if (db.open && db.inTransaction) db.exec('ROLLBACK');
}
