import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { openConnection } from '../addon/index.ts';
import { kitErrors } from '../errors/index.ts';
import { createPrivately } from '../files/index.ts';
import { checkpointPassive } from './checkpoint.ts';
import { makeDurable } from './durable.ts';
import { assertMigrated, migrate } from './migrations.ts';
import { assertSchema } from './schema-seal.ts';
import type { OpenOptions, SqliteDatabase } from './types.ts';
import { assertVersion } from './version.ts';

/** After a checkpoint the WAL is cut to this; a pinned reader can still let it grow. */
const WAL_SIZE_LIMIT_BYTES = 4 * 1024 * 1024;
/** 32 MiB: only a net under `tidyAfterCommit`, for writes that go past withTransaction and GroupCommit. */
const WAL_AUTOCHECKPOINT_PAGES = 8000;
const DEFAULT_BUSY_TIMEOUT_MS = 5000;
/** The shared memory for a WAL of 64 MiB, and a first commit. */
const MIN_FREE_BYTES = 256 * 1024;

/**
 * Opens (or makes, mode 0600) a durable WAL database and brings it to the newest migration. Throws SQLITE_TOO_OLD,
 * SQLITE_NO_ROOM, SQLITE_NOT_DURABLE, SQLITE_MIGRATIONS_CHANGED, SQLITE_MIGRATION_FAILED, SQLITE_DAMAGED, or better-sqlite3's own error.
 */
export function openDatabase(path: string, options: OpenOptions): SqliteDatabase {
  const db = connect(path, options);
  try {
    options.check?.(db);
    prepareDatabase(db, options);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export function connect(path: string, options: OpenOptions): SqliteDatabase {
  const readonly = options.readonly ?? false;
  if (!readonly && path !== '' && path !== ':memory:') {
    assertRoom(dirname(path));
    createPrivately(path);
  }
  return openConnection(path, { readonly, timeout: options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS });
}

/** Everything between a raw connection and a usable one; reads before it writes. */
export function prepareDatabase(db: SqliteDatabase, options: OpenOptions): void {
  assertVersion(db);
  db.pragma('trusted_schema = OFF');
  db.pragma('foreign_keys = ON');
  assertSchema(db);
  if (options.readonly) {
    db.pragma('query_only = ON');
    assertMigrated(db, options.migrations);
    return;
  }
  const nowMs = Date.now();
  db.pragma('journal_mode = WAL');
  db.pragma(`journal_size_limit = ${WAL_SIZE_LIMIT_BYTES}`);
  db.pragma(`wal_autocheckpoint = ${WAL_AUTOCHECKPOINT_PAGES}`);
  makeDurable(db, nowMs);
  migrate(db, options.migrations, nowMs);
  // What the last run left in the WAL goes home now, so that the room it takes is known before the disk is short of it.
  try {
    checkpointPassive(db);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'SQLITE_FULL') throw error;
  }
}

/**
 * SQLite makes the shared memory file anew and maps it. Where the blocks of the file system are smaller than a page of
 * memory it may map a hole, and touching that on a full disk kills the process (SIGBUS), at every start again.
 */
function assertRoom(folder: string): void {
  const { bavail, bfree, bsize } = statfsSync(folder);
  const freeBytes = (process.getuid?.() === 0 ? bfree : bavail) * bsize;
  if (freeBytes >= MIN_FREE_BYTES) return;
  throw kitErrors.make('SQLITE_NO_ROOM', {
    detail: `${folder} has ${freeBytes} bytes left, ${MIN_FREE_BYTES} are needed`,
    data: { freeBytes, neededBytes: MIN_FREE_BYTES },
  });
}
