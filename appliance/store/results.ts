import type { Facts } from '@sitewarden/agent-proto/agent';
import type { CheckName, CheckSeverity, CheckStatus } from '@sitewarden/agent-proto/checks';
import type { CheckRow } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { json, prepared } from './statements.ts';

/** What a result is about. `source` is an agent's id, or BOX. */
export interface ResultKey {
  readonly source: string;
  readonly check: CheckName;
  readonly subject: string;
}

/** The box itself, where an agent's id would stand. */
export const BOX = 'box';

export interface ResultRow extends ResultKey {
  readonly status: CheckStatus;
  readonly severity: CheckSeverity;
  readonly controls: readonly string[];
  readonly expected: string;
  readonly actual: string;
  readonly reason: string;
  readonly facts: Facts;
  /** By the box's reckoning: never after it was received. */
  readonly collectedAtMs: number;
  readonly receivedAtMs: number;
  /** When the status last changed. */
  readonly sinceMs: number;
  readonly reportId: number;
}

const COLUMNS = `source, check_name AS "check", subject, status, severity, controls, expected, actual, reason, facts,
  collected_at_ms AS collectedAtMs, received_at_ms AS receivedAtMs, since_ms AS sinceMs, report_id AS reportId`;

const HISTORY_BYTES = 'octet_length(actual) + octet_length(reason) + octet_length(facts)';

export const RESULT_SQL = {
  latest: `SELECT ${COLUMNS} FROM result_latest WHERE source = ? AND check_name = ? AND subject = ?`,
  latestOfSource: `SELECT ${COLUMNS} FROM result_latest WHERE source = ? ORDER BY check_name, subject`,
  subjectsOfCheck: 'SELECT subject FROM result_latest WHERE source = ? AND check_name = ?',
  // The box says by itself which of its own services it need not look after any more.
  notAskedFor: `SELECT source, check_name AS "check", subject FROM result_latest WHERE source <> '${BOX}'
    AND ((check_name = 'services' AND subject NOT IN (SELECT value FROM json_each(@services)))
      OR (received_at_ms < @beforeMs AND check_name NOT IN (SELECT value FROM json_each(@checks)))) LIMIT @limit`,
  deleteLatest: 'DELETE FROM result_latest WHERE source = ? AND check_name = ? AND subject = ?',
  put: `INSERT INTO result_latest (source, check_name, subject, status, severity, controls, expected, actual, reason,
      facts, collected_at_ms, received_at_ms, since_ms, report_id)
    VALUES (@source, @check, @subject, @status, @severity, @controls, @expected, @actual, @reason,
      @facts, @collectedAtMs, @receivedAtMs, @sinceMs, @reportId)
    ON CONFLICT (source, check_name, subject) DO UPDATE SET
      status = excluded.status, severity = excluded.severity, controls = excluded.controls,
      expected = excluded.expected, actual = excluded.actual, reason = excluded.reason, facts = excluded.facts,
      collected_at_ms = excluded.collected_at_ms, received_at_ms = excluded.received_at_ms,
      since_ms = excluded.since_ms, report_id = excluded.report_id`,
  appendHistory: `INSERT INTO result_history (source, check_name, subject, status, severity, actual, reason, facts,
      first_received_at_ms, last_received_at_ms)
    VALUES (@source, @check, @subject, @status, @severity, @actual, @reason, @facts, @receivedAtMs, @receivedAtMs)`,
  newestRun: 'SELECT max(id) AS id FROM result_history WHERE source = ? AND check_name = ? AND subject = ?',
  extendHistory: 'UPDATE result_history SET last_received_at_ms = ? WHERE id = ?',
  pruneHistory: `DELETE FROM result_history WHERE id IN (SELECT id FROM result_history WHERE id <=
    (SELECT max(id) - ? FROM result_history) ORDER BY id LIMIT ?)`,
  historyBytes: `SELECT coalesce(sum(${HISTORY_BYTES}), 0) AS bytes FROM result_history`,
  // Oldest first, until those that go make up for what is too much; the newest stays, so that ids go on rising.
  pruneHistoryBytes: `DELETE FROM result_history WHERE id IN (SELECT id FROM (
    SELECT id, sum(${HISTORY_BYTES}) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
      FROM result_history WHERE id < (SELECT max(id) FROM result_history) ORDER BY id LIMIT @limit)
    WHERE coalesce(before, 0) < @excess)`,
  failingBySource: `SELECT source, count(*) AS failing FROM result_latest WHERE status = 'fail' GROUP BY source`,
} as const;

type Raw = Omit<ResultRow, 'controls' | 'facts'> & { controls: string; facts: string };

const fromRaw = (raw: Raw): ResultRow => ({ ...raw, controls: json(raw.controls), facts: json(raw.facts) });
const toRaw = (row: ResultRow): Raw => ({
  ...row,
  controls: JSON.stringify(row.controls),
  facts: JSON.stringify(row.facts),
});

export function latestResult(db: SqliteDatabase, { source, check, subject }: ResultKey): ResultRow | undefined {
  const raw = prepared<[string, string, string], Raw>(db, RESULT_SQL.latest).get(source, check, subject);
  return raw && fromRaw(raw);
}

export function resultsOfSource(db: SqliteDatabase, source: string): ResultRow[] {
  return prepared<[string], Raw>(db, RESULT_SQL.latestOfSource).all(source).map(fromRaw);
}

export function subjectsOfCheck(db: SqliteDatabase, source: string, check: CheckName): string[] {
  const statement = prepared<[string, string], { subject: string }>(db, RESULT_SQL.subjectsOfCheck);
  return statement.all(source, check).map(({ subject }) => subject);
}

/** Agents' results of services outside `services`, and of checks outside `checks` that nobody sent since `beforeMs`. */
export function resultsNotAskedFor(
  db: SqliteDatabase,
  asked: { services: readonly string[]; checks: readonly string[]; beforeMs: number; limit: number },
): ResultKey[] {
  const values = { ...asked, services: JSON.stringify(asked.services), checks: JSON.stringify(asked.checks) };
  return prepared<typeof values, ResultKey>(db, RESULT_SQL.notAskedFor).all(values);
}

export function deleteLatestResult(db: SqliteDatabase, { source, check, subject }: ResultKey): void {
  prepared(db, RESULT_SQL.deleteLatest).run(source, check, subject);
}

export function putLatestResult(db: SqliteDatabase, row: ResultRow): void {
  prepared<Raw>(db, RESULT_SQL.put).run(toRaw(row));
}

/** Begins a new run of equal results; answers its id. */
export function appendResultHistory(db: SqliteDatabase, row: ResultRow): number {
  const { source, check, subject, status, severity, actual, reason, facts, receivedAtMs } = toRaw(row);
  const values = { source, check, subject, status, severity, actual, reason, facts, receivedAtMs };
  return Number(prepared<typeof values>(db, RESULT_SQL.appendHistory).run(values).lastInsertRowid);
}

/** Id of the newest run of this subject; undefined when there is none any more. */
export function newestRun(db: SqliteDatabase, { source, check, subject }: ResultKey): number | undefined {
  const statement = prepared<[string, string, string], { id: number | null }>(db, RESULT_SQL.newestRun);
  return statement.get(source, check, subject)?.id ?? undefined;
}

/** The run has lasted until `receivedAtMs`; one that was pruned meanwhile stays gone. */
export function extendResultHistory(db: SqliteDatabase, id: number, receivedAtMs: number): void {
  prepared<[number, number]>(db, RESULT_SQL.extendHistory).run(receivedAtMs, id);
}

/** Deletes the oldest beyond the newest `keepRows` or beyond `keepBytes` of words and facts; at most `limit` of each. */
export function pruneResultHistory(
  db: SqliteDatabase,
  { keepRows, keepBytes, limit }: { keepRows: number; keepBytes: number; limit: number },
): number {
  const rows = prepared<[number, number]>(db, RESULT_SQL.pruneHistory).run(keepRows, limit).changes;
  if (rows === limit) return limit;
  const { bytes } = prepared<[], { bytes: number }>(db, RESULT_SQL.historyBytes).get()!;
  if (bytes <= keepBytes) return rows;
  const values = { excess: bytes - keepBytes, limit };
  return prepared<typeof values>(db, RESULT_SQL.pruneHistoryBytes).run(values).changes;
}

/** How many checks fail now, for each source that has any. */
export function failingBySource(db: SqliteDatabase): Map<string, number> {
  const rows = prepared<[], { source: string; failing: number }>(db, RESULT_SQL.failingBySource).all();
  return new Map(rows.map(({ source, failing }) => [source, failing]));
}

/** `agentId` of rows that leave the box: null is the box itself. */
export const agentIdOf = (source: string): string | null => (source === BOX ? null : source);

/** The row the relay gets. */
export function toCheckRow(row: ResultRow): CheckRow {
  const { source, reportId, controls, facts, ...rest } = row;
  return { type: 'check', agentId: agentIdOf(source), ...rest, controls: [...controls], facts };
}
