import { Report } from '@sitewarden/agent-proto/agent';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared } from './statements.ts';

export interface ReportRow {
  readonly id: number;
  /** An agent's id, or BOX. */
  readonly source: string;
  readonly seq: number;
  readonly receivedAtMs: number;
  /** Protobuf Report, as it came. Decode with `decodeReport`. */
  readonly body: Buffer;
}

export const REPORT_SQL = {
  insert: 'INSERT INTO report (source, seq, received_at_ms, body) VALUES (?, ?, ?, ?)',
  since: 'SELECT id, source, seq, received_at_ms AS receivedAtMs, body FROM report WHERE id > ? ORDER BY id LIMIT ?',
  lastSeq: 'SELECT max(seq) AS seq FROM report WHERE source = ?',
  // The newest row stays: an emptied table would hand out its ids again, below the cursor.
  prune: `DELETE FROM report WHERE id IN
    (SELECT id FROM report WHERE id <= ? AND id < (SELECT max(id) FROM report) AND received_at_ms < ? ORDER BY id LIMIT ?)`,
} as const;

/** Id of the new row. Throws SQLITE_CONSTRAINT_UNIQUE for a repeated (source, seq). */
export function insert(
  db: SqliteDatabase,
  report: { source: string; seq: number; receivedAtMs: number; body: Uint8Array },
): number {
  const statement = prepared<[string, number, number, Uint8Array]>(db, REPORT_SQL.insert);
  return Number(statement.run(report.source, report.seq, report.receivedAtMs, report.body).lastInsertRowid);
}

/** Oldest first. */
export function since(db: SqliteDatabase, afterId: number, limit: number): ReportRow[] {
  return prepared<[number, number], ReportRow>(db, REPORT_SQL.since).all(afterId, limit);
}

export const decodeReport = (row: Pick<ReportRow, 'body'>): Report => Report.decode(row.body);

/** Highest sequence number still in the journal; 0 when there is none. */
export function lastSeq(db: SqliteDatabase, source: string): number {
  return prepared<[string], { seq: number | null }>(db, REPORT_SQL.lastSeq).get(source)?.seq ?? 0;
}

export function prune(
  db: SqliteDatabase,
  { throughId, beforeMs, limit }: { throughId: number; beforeMs: number; limit: number },
) {
  return prepared<[number, number, number]>(db, REPORT_SQL.prune).run(throughId, beforeMs, limit).changes;
}
