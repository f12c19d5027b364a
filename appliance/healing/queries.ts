import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared, reports } from '../store/index.ts';
import type { ReportRow } from '../store/reports.ts';

export const HEALING_SQL = {
  newestReports: `SELECT id, source, seq, received_at_ms AS receivedAtMs, body FROM report
    WHERE source = ? ORDER BY seq DESC LIMIT ?`,
  lastRecheck: `SELECT max(created_at_ms) AS atMs FROM agent_order
    WHERE agent_id = ? AND state IN ('queued', 'delivered', 'started', 'done') AND action = 'run_check'`,
  reportById: 'SELECT id, source, seq, received_at_ms AS receivedAtMs, body FROM report WHERE id = ?',
} as const;

/** An agent sends few reports in the minutes a verification takes; one further back does not count as an answer. */
const MAX_REPORTS = 64;

/** Id of the oldest kept report that answers one of these orders; undefined while none does. */
export function answeringReportId(
  db: SqliteDatabase,
  source: string,
  orderIds: ReadonlySet<string>,
): number | undefined {
  let found: number | undefined;
  if (orderIds.size === 0) return found;
  for (const row of prepared<[string, number], ReportRow>(db, HEALING_SQL.newestReports).all(source, MAX_REPORTS)) {
    if (orderIds.has(orderIdOf(row))) found = row.id;
  }
  return found;
}

/** True when the report was asked for, which makes it as fresh as its receipt whatever the agent's clock says. */
export function wasAskedFor(db: SqliteDatabase, reportId: number): boolean {
  const row = prepared<[number], ReportRow>(db, HEALING_SQL.reportById).get(reportId);
  return row !== undefined && orderIdOf(row) !== '';
}

/** When this agent was last told to run checks. */
export function lastRecheckAtMs(db: SqliteDatabase, agentId: string): number | undefined {
  return prepared<[string], { atMs: number | null }>(db, HEALING_SQL.lastRecheck).get(agentId)?.atMs ?? undefined;
}

function orderIdOf(row: ReportRow): string {
  try {
    return reports.decodeReport(row).orderId;
  } catch {
    return '';
  }
}
