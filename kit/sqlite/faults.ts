import { kitErrors } from '../errors/index.ts';
import type { SqliteDatabase } from './types.ts';

const failed = new WeakMap<SqliteDatabase, unknown>();

/**
 * After a failed sync the kernel may call the lost pages clean, so a later sync that succeeds proves nothing about them.
 * Only reading the files again does: the connection is refused from then on. A full disk is no such fault, SQLite rolls
 * back and the next try is as good as the first.
 */
export function recordFault(db: SqliteDatabase, error: unknown): boolean {
  const code = String((error as { code?: unknown } | undefined)?.code);
  const isDiskFault = code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
  if (isDiskFault && !failed.has(db)) failed.set(db, error);
  return isDiskFault;
}

/** SQLITE_REOPEN_NEEDED when a disk fault was recorded for this connection. */
export function refusalOf(db: SqliteDatabase): Error | undefined {
  return failed.has(db) ? kitErrors.make('SQLITE_REOPEN_NEEDED', { cause: failed.get(db) }) : undefined;
}
