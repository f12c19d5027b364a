import type Database from 'better-sqlite3';
import { recordFault } from './faults.ts';
import type { SqliteDatabase } from './types.ts';

export interface CheckpointResult {
  /** A reader or writer was in the way, so not all was moved. */
  readonly isBusy: boolean;
  readonly walFrames: number;
  readonly movedFrames: number;
}

/** 4 MiB of 4 KiB pages. */
const CHECKPOINT_AT_FRAMES = 1000;
/** Asking for the size of the WAL costs 5 microseconds. */
const COMMITS_BETWEEN_LOOKS = 4;

interface Look {
  commits: number;
  readonly size: Database.Statement<[], { log: number }>;
}

const looks = new WeakMap<SqliteDatabase, Look>();

/** Moves the WAL into the database and cuts it to nothing. Waits up to the busy timeout for readers. */
export function checkpointTruncate(db: SqliteDatabase): CheckpointResult {
  return checkpoint(db, 'TRUNCATE');
}

/** Moves what no reader holds back, without waiting. */
export function checkpointPassive(db: SqliteDatabase): CheckpointResult {
  return checkpoint(db, 'PASSIVE');
}

/**
 * Called after each commit: moves the WAL now and then. SQLite's own automatic checkpoint does the same but keeps a
 * failed sync to itself, and whoever goes on acknowledging after one may lose rows. Throws that failure; the commit
 * before it is on disk nevertheless.
 */
export function tidyAfterCommit(db: SqliteDatabase): void {
  let look = looks.get(db);
  if (look === undefined) {
    look = { commits: 0, size: db.prepare('PRAGMA wal_checkpoint(NOOP)') };
    looks.set(db, look);
  }
  if (++look.commits < COMMITS_BETWEEN_LOOKS) return;
  look.commits = 0;
  if ((look.size.get()?.log ?? 0) >= CHECKPOINT_AT_FRAMES) checkpointPassive(db);
}

/**
 * Called after a rollback. On a full disk the WAL itself may be what fills it: nothing can be appended, so no commit ever
 * gets to move it. Moving it here lets the next one begin again at its start, without growing it. Only rows that are new
 * to the database file need room there.
 */
export function makeRoomAfter(db: SqliteDatabase, error: unknown): void {
  if ((error as { code?: unknown } | undefined)?.code !== 'SQLITE_FULL' || db.inTransaction) return;
  try {
    checkpointPassive(db);
  } catch {
    // Still no room, or a fault that is recorded by now.
  }
}

function checkpoint(db: SqliteDatabase, mode: 'PASSIVE' | 'TRUNCATE'): CheckpointResult {
  try {
    const rows = db.pragma(`wal_checkpoint(${mode})`) as { busy: number; log: number; checkpointed: number }[];
    const row = rows[0] ?? { busy: 1, log: -1, checkpointed: -1 };
    return { isBusy: row.busy !== 0, walFrames: row.log, movedFrames: row.checkpointed };
  } catch (error) {
    recordFault(db, error);
    throw error;
  }
}
