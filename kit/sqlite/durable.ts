import { kitErrors } from '../errors/index.ts';
import type { SqliteDatabase } from './types.ts';

/** `PRAGMA synchronous` for FULL: the WAL is synced at every commit. */
const FULL = 2;

/**
 * Makes this connection sync at every commit. The SQLite bundled with better-sqlite3 is built with
 * WAL_SYNCHRONOUS=NORMAL: it reads FULL after the switch to WAL and falls to NORMAL at the first write unless it was
 * set by hand. So a real write happens first, then FULL is set, then it is read back.
 */
export function makeDurable(db: SqliteDatabase, nowMs: number): void {
  db.pragma(`synchronous = ${FULL}`);
  // A no-op outside macOS, where a plain fsync leaves data in the drive's cache.
  db.pragma('fullfsync = ON');
  db.pragma('checkpoint_fullfsync = ON');
  db.exec('CREATE TABLE IF NOT EXISTS kit_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID');
  db.prepare(
    `INSERT INTO kit_meta (key, value) VALUES ('opened_at', ?)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
  ).run(new Date(nowMs).toISOString());
  db.pragma(`synchronous = ${FULL}`);
  assertDurable(db);
}

/** Throws SQLITE_NOT_DURABLE unless the connection is in WAL mode and syncs every commit. */
export function assertDurable(db: SqliteDatabase): void {
  const journalMode = db.pragma('journal_mode', { simple: true });
  const synchronous = db.pragma('synchronous', { simple: true });
  if (journalMode === 'wal' && synchronous === FULL) return;
  throw kitErrors.make('SQLITE_NOT_DURABLE', {
    detail: `journal_mode is ${journalMode}, synchronous is ${synchronous}`,
    data: { journalMode, synchronous },
  });
}
