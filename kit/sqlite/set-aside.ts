import { closeSync, existsSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { isCodedError, kitErrors } from '../errors/index.ts';
import { connect, openDatabase, prepareDatabase } from './open.ts';
import type { OpenOptions, SqliteDatabase } from './types.ts';

export interface OpenedDatabase {
  readonly db: SqliteDatabase;
  /** Where the damaged database was moved, with its `-wal` and `-shm`; the new one is empty. */
  readonly setAside?: string;
  /** What was found wrong with it. */
  readonly reason?: string;
}

/**
 * Opens the database, checking it first (`quick_check`: about a second for each gigabyte). A damaged one is moved to
 * `<path>.damaged-<time>` untouched and an empty one takes its place. Other faults (disk full, no rights, locked, a newer
 * program's migrations) are thrown: setting aside would only lose data. No other process may have it open (acquireLock).
 * Neither a damaged WAL tail nor a changed byte inside a row is seen by SQLite: an `openHighWaterMark` and checksums of the
 * rows find those.
 */
export function openOrSetAside(path: string, options: OpenOptions): OpenedDatabase {
  const db = connect(path, options);
  try {
    quickCheck(db);
    prepareDatabase(db, options);
    return { db };
  } catch (error) {
    if (!isDamage(error)) {
      db.close();
      throw error;
    }
    const setAside = moveAside(path, db);
    return { db: openDatabase(path, options), setAside, reason: (error as Error).message };
  }
}

/** Throws SQLITE_DAMAGED naming the first faults. */
export function quickCheck(db: SqliteDatabase): void {
  assertNoFaults(db.pragma('quick_check(3)'));
}

/**
 * The same, a table with its indexes at a time, none begun once `maxMs` are used up. Answers with the tables left out. What
 * no table uses is not looked at. Throws SQLITE_DAMAGED, or better-sqlite3's own error for a file that is no database.
 */
export function quickCheckWithin(db: SqliteDatabase, maxMs: number): string[] {
  const endMs = performance.now() + maxMs;
  const tables = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck();
  return ['sqlite_schema', ...tables.all()].filter((table) => {
    if (performance.now() >= endMs) return true;
    assertNoFaults(db.pragma(`quick_check("${table.replaceAll('"', '""')}")`));
    return false;
  });
}

function assertNoFaults(found: unknown): void {
  const faults = (found as { quick_check: string }[]).map((row) => row.quick_check.replaceAll(/\s+/g, ' '));
  if (faults.length === 1 && faults[0] === 'ok') return;
  throw kitErrors.make('SQLITE_DAMAGED', { detail: `The integrity check found: ${faults.join('; ').slice(0, 500)}` });
}

/** True for errors that say the file itself is bad, however deep they are wrapped. */
export function isDamage(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (isCodedError(at, 'SQLITE_DAMAGED')) return true;
    const code = String((at as { code?: unknown }).code);
    if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return true;
  }
  return false;
}

/**
 * Renames before closing: SQLite sees that the file moved and then leaves the WAL as it is instead of writing it into a
 * damaged database. Windows cannot rename open files. Side files go first, so that a crash between the renames never
 * leaves an old WAL beside a new database.
 */
function moveAside(path: string, db: SqliteDatabase): string {
  if (process.platform === 'win32') db.close();
  const target = freeName(`${path}.damaged-${new Date().toISOString().replaceAll(/[-:.]/g, '')}`);
  for (const suffix of ['-wal', '-shm', '-journal', '']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  }
  if (process.platform !== 'win32') {
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
    db.close();
  }
  return target;
}

function freeName(wanted: string): string {
  for (let n = 0; ; n++) {
    const name = n === 0 ? wanted : `${wanted}-${n}`;
    if (!existsSync(name)) return name;
  }
}
