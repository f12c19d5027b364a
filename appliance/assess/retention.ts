import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared, pruneResultHistory, readCursor } from '../store/index.ts';

/** What was assessed is kept for looking back, up to whichever limit comes first. */
export const RETENTION = {
  reportRows: 10_000,
  reportAgeMs: 7 * 24 * 3600 * 1000,
  reportBytes: 64 * 1024 * 1024,
  historyRows: 50_000,
  historyBytes: 32 * 1024 * 1024,
  /** Deleted in one transaction: a longer one would hold intake up. */
  rowsPerTurn: 500,
} as const;

export const RETENTION_SQL = {
  // The newest row stays whatever its age: an emptied table would hand out its ids again, below the cursor.
  pruneReports: `DELETE FROM report WHERE id IN (
    SELECT id FROM report WHERE id <= @throughId AND id < (SELECT max(id) FROM report)
      AND (id <= (SELECT max(id) FROM report) - @keepRows OR received_at_ms < @beforeMs) ORDER BY id LIMIT @limit)`,
  reportBytes: 'SELECT coalesce(sum(length(body)), 0) AS bytes FROM report',
  // Oldest first, until those that go make up for what is too much.
  pruneReportBytes: `DELETE FROM report WHERE id IN (SELECT id FROM (
    SELECT id, sum(length(body)) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM report
      WHERE id <= @throughId AND id < (SELECT max(id) FROM report) ORDER BY id LIMIT @limit)
    WHERE coalesce(before, 0) < @excess)`,
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
  // To know the bytes takes reading the whole table: only once it is no longer than it may be.
  if (reports === limit) return true;
  const large = pruneReportBytes(db, values.throughId);
  const history = pruneResultHistory(db, {
    keepRows: RETENTION.historyRows,
    keepBytes: RETENTION.historyBytes,
    limit,
  });
  return large === limit || history === limit;
}

function pruneReportBytes(db: SqliteDatabase, throughId: number): number {
  const { bytes } = prepared<[], { bytes: number }>(db, RETENTION_SQL.reportBytes).get()!;
  const excess = bytes - RETENTION.reportBytes;
  if (excess <= 0) return 0;
  const values = { throughId, excess, limit: RETENTION.rowsPerTurn };
  return prepared<typeof values>(db, RETENTION_SQL.pruneReportBytes).run(values).changes;
}
