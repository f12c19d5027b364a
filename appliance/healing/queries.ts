import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared } from '../store/index.ts';

export const HEALING_SQL = {
  answer: 'SELECT min(id) AS id FROM report WHERE source = ? AND order_id = ?',
  lastRecheck: `SELECT max(created_at_ms) AS atMs FROM agent_order
    WHERE agent_id = ? AND state IN ('queued', 'delivered', 'started', 'done') AND action = 'run_check'`,
  orderOfReport: 'SELECT order_id AS orderId FROM report WHERE id = ?',
} as const;

/** Id of the oldest kept report that answers one of these orders; undefined while none does. */
export function answeringReportId(
  db: SqliteDatabase,
  source: string,
  orderIds: ReadonlySet<string>,
): number | undefined {
  const statement = prepared<[string, string], { id: number | null }>(db, HEALING_SQL.answer);
  const ids = [...orderIds].map((orderId) => statement.get(source, orderId)?.id ?? Number.POSITIVE_INFINITY);
  const oldest = Math.min(...ids);
  return Number.isFinite(oldest) ? oldest : undefined;
}

/** True when the report was asked for, which makes it as fresh as its receipt whatever the agent's clock says. */
export function wasAskedFor(db: SqliteDatabase, reportId: number): boolean {
  const row = prepared<[number], { orderId: string | null }>(db, HEALING_SQL.orderOfReport).get(reportId);
  return row !== undefined && row.orderId !== null;
}

/** When this agent was last told to run checks. */
export function lastRecheckAtMs(db: SqliteDatabase, agentId: string): number | undefined {
  return prepared<[string], { atMs: number | null }>(db, HEALING_SQL.lastRecheck).get(agentId)?.atMs ?? undefined;
}
