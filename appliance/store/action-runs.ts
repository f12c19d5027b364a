import type { Facts } from '@sitewarden/agent-proto/agent';
import type { ActionRunRow, ActionRunState } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { ActionRunChange } from './changes.ts';
import type { Incident } from './incidents.ts';
import { agentIdOf } from './results.ts';
import { json, prepared } from './statements.ts';

export interface ActionRun {
  readonly id: string;
  readonly incidentId: string;
  /** An agent's id, or BOX: where it runs. */
  readonly source: string;
  readonly action: string;
  readonly params: Facts;
  readonly state: ActionRunState;
  readonly code: string | null;
  readonly outcome: string;
  readonly ruleId: string;
  readonly ruleVersion: number;
  readonly ruleDigest: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly verifyByMs: number | null;
  readonly before: Facts;
  readonly after: Facts;
  readonly evidenceSeq: number | null;
}

const COLUMNS = `id, incident_id AS incidentId, source, action, params, state, code, outcome, rule_id AS ruleId,
  rule_version AS ruleVersion, rule_digest AS ruleDigest, started_at_ms AS startedAtMs, finished_at_ms AS finishedAtMs,
  verify_by_ms AS verifyByMs, before, after, evidence_seq AS evidenceSeq`;

export const ACTION_RUN_SQL = {
  insert: `INSERT INTO action_run (id, incident_id, source, action, params, state, code, outcome, rule_id, rule_version,
      rule_digest, started_at_ms, finished_at_ms, verify_by_ms, before, after)
    VALUES (@id, @incidentId, @source, @action, @params, @state, @code, @outcome, @ruleId, @ruleVersion,
      @ruleDigest, @startedAtMs, @finishedAtMs, @verifyByMs, @before, @after)`,
  update: `UPDATE action_run SET state = @state, code = @code, outcome = @outcome, finished_at_ms = @finishedAtMs,
      verify_by_ms = @verifyByMs, before = @before, after = @after WHERE id = @id`,
  byId: `SELECT ${COLUMNS} FROM action_run WHERE id = ?`,
  active: `SELECT ${COLUMNS} FROM action_run WHERE state IN ('started', 'done') ORDER BY started_at_ms, id`,
  ofTarget: `SELECT ${COLUMNS} FROM action_run
    WHERE source = ? AND action = ? AND started_at_ms BETWEEN ? AND ? ORDER BY started_at_ms`,
  recent: `SELECT ${COLUMNS} FROM action_run ORDER BY started_at_ms DESC, id LIMIT ?`,
} as const;

type Raw = Omit<ActionRun, 'params' | 'before' | 'after'> & { params: string; before: string; after: string };

const fromRaw = (raw: Raw): ActionRun => ({
  ...raw,
  params: json(raw.params),
  before: json(raw.before),
  after: json(raw.after),
});
const toRaw = (run: ActionRun): Raw => ({
  ...run,
  params: JSON.stringify(run.params),
  before: JSON.stringify(run.before),
  after: JSON.stringify(run.after),
});

export function insertActionRun(db: SqliteDatabase, run: ActionRun): void {
  prepared<Raw>(db, ACTION_RUN_SQL.insert).run(toRaw(run));
}

/** State, code, outcome, times, before and after; the rest of a run never changes. */
export function updateActionRun(db: SqliteDatabase, run: ActionRun): void {
  prepared<Raw>(db, ACTION_RUN_SQL.update).run(toRaw(run));
}

export function actionRunById(db: SqliteDatabase, id: string): ActionRun | undefined {
  const raw = prepared<[string], Raw>(db, ACTION_RUN_SQL.byId).get(id);
  return raw && fromRaw(raw);
}

/** Started, or done and not yet verified. */
export function activeActionRuns(db: SqliteDatabase): ActionRun[] {
  return prepared<[], Raw>(db, ACTION_RUN_SQL.active).all().map(fromRaw);
}

/** Runs of an action on a host that were started within `withinMs` of `nowMs`, before or (by a clock set back) after. */
export function actionRunsNear(
  db: SqliteDatabase,
  target: { source: string; action: string; nowMs: number; withinMs: number },
): ActionRun[] {
  const { source, action, nowMs, withinMs } = target;
  const statement = prepared<[string, string, number, number], Raw>(db, ACTION_RUN_SQL.ofTarget);
  return statement.all(source, action, nowMs - withinMs, nowMs + withinMs).map(fromRaw);
}

/** Newest first. */
export function recentActionRuns(db: SqliteDatabase, limit: number): ActionRun[] {
  return prepared<[number], Raw>(db, ACTION_RUN_SQL.recent).all(limit).map(fromRaw);
}

export function toActionRunChange(run: ActionRun, incident: Incident): ActionRunChange {
  const { source, ruleDigest, verifyByMs, ...rest } = run;
  const row: ActionRunRow = { type: 'action_run', ...rest };
  const { host, check, subject, controls } = incident;
  return { row, ruleDigest, controls, target: { agentId: agentIdOf(source), host, check, subject } };
}
