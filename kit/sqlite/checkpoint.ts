import type { SqliteDatabase } from './types.ts';

export interface CheckpointResult {
  /** A reader or writer was in the way, so the WAL was not cut. */
  readonly isBusy: boolean;
  readonly walFrames: number;
  readonly movedFrames: number;
}

/** Moves the WAL into the database and cuts it to nothing. Waits up to the busy timeout for readers. */
export function checkpointTruncate(db: SqliteDatabase): CheckpointResult {
  const rows = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number; log: number; checkpointed: number }[];
  const row = rows[0] ?? { busy: 1, log: -1, checkpointed: -1 };
  return { isBusy: row.busy !== 0, walFrames: row.log, movedFrames: row.checkpointed };
}
