import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared, pruneResultHistory, readCursor } from '../store/index.ts';

/** What was assessed is kept for looking back, up to whichever limit comes first. */
export const RETENTION = {
  reportRows: 10_000,
  reportAgeMs: 7 * 24 * 3600 * 1000,
  historyRows: 200_000,
  /** Deleted in one transaction: a longer one would hold intake up. */
  rowsPerTurn: 500,
} as const;

export const RETENTION_SQL = {
  // The newest row stays whatever its age: an emptied table would hand out its ids again, below the cursor.
  pruneReports: `DELETE FROM report WHERE id IN (
    SELECT id FROM report WHERE id <= @throughId AND id < (SELECT max(id) FROM report)
      AND (id <= (SELECT max(id) FROM report) - @keepRows OR received_at_ms < @beforeMs) ORDER BY id LIMIT @limit)`,
} as const;

/** Answers whether more is left to delete. Nothing that was not assessed goes. */
export function pruneAssessed(db: SqliteDatabase, nowMs: number): boolean {
  const limit = RETENTION.rowsPerTurn;
  const values = {
    throughId: readCursor(db, 'assess'),
    keepRows: RETENTION.reportRows,
    beforeMs: nowMs - RETENTION.reportAgeMs,
    limit,
  };
  const reports = prepared<typeof values>(db, RETENTION_SQL.pruneReports).run(values).changes;
  const history = pruneResultHistory(db, { keepRows: RETENTION.historyRows, limit });
  return reports === limit || history === limit;
}
