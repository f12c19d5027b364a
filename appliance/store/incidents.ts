import type { Facts } from '@sitewarden/agent-proto/agent';
import type { CheckSeverity } from '@sitewarden/agent-proto/checks';
import type { IncidentRow, IncidentState } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { IncidentChange } from './changes.ts';
import { agentIdOf, type ResultKey } from './results.ts';
import { json, prepared } from './statements.ts';

export interface Incident extends ResultKey {
  readonly id: string;
  /** Name of the computer, for people. */
  readonly host: string;
  readonly severity: CheckSeverity;
  readonly title: string;
  readonly reason: string;
  readonly nextStep: string;
  readonly state: IncidentState;
  readonly ruleId: string | null;
  readonly controls: readonly string[];
  readonly facts: Facts;
  readonly openedAtMs: number;
  readonly changedAtMs: number;
  readonly resolvedAtMs: number | null;
  readonly evidenceSeq: number | null;
}

const COLUMNS = `id, source, host, check_name AS "check", subject, severity, title, reason, next_step AS nextStep, state,
  rule_id AS ruleId, controls, facts, opened_at_ms AS openedAtMs, changed_at_ms AS changedAtMs,
  resolved_at_ms AS resolvedAtMs, evidence_seq AS evidenceSeq`;

export const INCIDENT_SQL = {
  insert: `INSERT INTO incident (id, source, host, check_name, subject, severity, title, reason, next_step, state,
      rule_id, controls, facts, opened_at_ms, changed_at_ms, resolved_at_ms, evidence_seq)
    VALUES (@id, @source, @host, @check, @subject, @severity, @title, @reason, @nextStep, @state,
      @ruleId, @controls, @facts, @openedAtMs, @changedAtMs, @resolvedAtMs, @evidenceSeq)`,
  update: `UPDATE incident SET host = @host, severity = @severity, title = @title, reason = @reason,
      next_step = @nextStep, state = @state, rule_id = @ruleId, controls = @controls, facts = @facts,
      changed_at_ms = @changedAtMs, resolved_at_ms = @resolvedAtMs WHERE id = @id`,
  byId: `SELECT ${COLUMNS} FROM incident WHERE id = ?`,
  openOf: `SELECT ${COLUMNS} FROM incident
    WHERE source = ? AND check_name = ? AND subject = ? AND state <> 'resolved'`,
  openKeys: `SELECT source, check_name AS "check", subject FROM incident WHERE state <> 'resolved'`,
  open: `SELECT ${COLUMNS} FROM incident WHERE state <> 'resolved' ORDER BY opened_at_ms, id`,
  openOfRemovedAgents: `SELECT ${COLUMNS} FROM incident
    WHERE state <> 'resolved' AND source IN (SELECT id FROM agent WHERE state = 'removed') ORDER BY id LIMIT ?`,
  recentlyResolved: `SELECT ${COLUMNS} FROM incident WHERE state = 'resolved'
    ORDER BY resolved_at_ms DESC, id LIMIT ?`,
  countEnded: `SELECT count(*) AS n FROM incident
    WHERE source = ? AND check_name = ? AND subject = ? AND state = 'resolved' AND changed_at_ms BETWEEN ? AND ?`,
  countOpen: `SELECT count(*) AS n FROM incident WHERE state <> 'resolved'`,
} as const;

type Raw = Omit<Incident, 'controls' | 'facts'> & { controls: string; facts: string };

const fromRaw = (raw: Raw): Incident => ({ ...raw, controls: json(raw.controls), facts: json(raw.facts) });
const toRaw = (incident: Incident): Raw => ({
  ...incident,
  controls: JSON.stringify(incident.controls),
  facts: JSON.stringify(incident.facts),
});

export function insertIncident(db: SqliteDatabase, incident: Incident): void {
  prepared<Raw>(db, INCIDENT_SQL.insert).run(toRaw(incident));
}

/** Everything but what the incident is about, when it was opened and its place in the evidence log. */
export function updateIncident(db: SqliteDatabase, incident: Incident): void {
  prepared<Partial<Raw>>(db, INCIDENT_SQL.update).run(toRaw(incident));
}

export function incidentById(db: SqliteDatabase, id: string): Incident | undefined {
  const raw = prepared<[string], Raw>(db, INCIDENT_SQL.byId).get(id);
  return raw && fromRaw(raw);
}

/** There is at most one. */
export function openIncidentOf(db: SqliteDatabase, { source, check, subject }: ResultKey): Incident | undefined {
  const raw = prepared<[string, string, string], Raw>(db, INCIDENT_SQL.openOf).get(source, check, subject);
  return raw && fromRaw(raw);
}

/** What the unresolved ones are about: read from their index alone. */
export function openIncidentKeys(db: SqliteDatabase): ResultKey[] {
  return prepared<[], ResultKey>(db, INCIDENT_SQL.openKeys).all();
}

/** Oldest first. */
export function openIncidents(db: SqliteDatabase): Incident[] {
  return prepared<[], Raw>(db, INCIDENT_SQL.open).all().map(fromRaw);
}

export function openIncidentsOfRemovedAgents(db: SqliteDatabase, limit: number): Incident[] {
  return prepared<[number], Raw>(db, INCIDENT_SQL.openOfRemovedAgents).all(limit).map(fromRaw);
}

/** Newest first. */
export function recentlyResolvedIncidents(db: SqliteDatabase, limit: number): Incident[] {
  return prepared<[number], Raw>(db, INCIDENT_SQL.recentlyResolved).all(limit).map(fromRaw);
}

/** How many about this were resolved between two times of the box's clock, both included. */
export function countEndedIncidents(
  db: SqliteDatabase,
  { source, check, subject }: ResultKey,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): number {
  const count = prepared<[string, string, string, number, number], { n: number }>(db, INCIDENT_SQL.countEnded);
  return count.get(source, check, subject, fromMs, toMs)?.n ?? 0;
}

export function countOpenIncidents(db: SqliteDatabase): number {
  return prepared<[], { n: number }>(db, INCIDENT_SQL.countOpen).get()?.n ?? 0;
}

export function toIncidentRow(incident: Incident): IncidentRow {
  const { source, controls, facts, ...rest } = incident;
  return { type: 'incident', agentId: agentIdOf(source), ...rest };
}

export const toIncidentChange = (incident: Incident): IncidentChange => ({
  row: toIncidentRow(incident),
  controls: incident.controls,
  facts: incident.facts,
});
