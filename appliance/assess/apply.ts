import { newId } from '@sitewarden/kit/ids';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import {
  appendResultHistory,
  type ChangeKind,
  changes,
  extendResultHistory,
  type Incident,
  insertIncident,
  putLatestResult,
  toCheckRow,
  toIncidentChange,
  updateIncident,
} from '../store/index.ts';
import type { AssessStep } from './decide.ts';

type Executor<K extends AssessStep['kind']> = (
  db: SqliteDatabase,
  step: Extract<AssessStep, { kind: K }>,
  nowMs: number,
) => void;

/** Complete by type: a step nobody carries out does not compile. */
const EXECUTORS: { readonly [K in AssessStep['kind']]: Executor<K> } = {
  put_latest: (db, { row }) => putLatestResult(db, row),
  start_run: (db, { row }) => appendResultHistory(db, row),
  extend_run: (db, { row }) => extendResultHistory(db, row, row.receivedAtMs),
  announce_result: (db, { row }, nowMs) => {
    const refId = `${row.source}|${row.check}|${row.subject}`;
    changes.append(db, { kind: 'result_changed', refId, body: toCheckRow(row), atMs: nowMs });
  },
  open_incident: (db, step, nowMs) => {
    const incident = { ...step.incident, id: newId('inc'), evidenceSeq: null };
    insertIncident(db, incident);
    announceIncident(db, 'incident_opened', incident, nowMs);
  },
  change_incident: (db, { incident, isVisible }, nowMs) => {
    updateIncident(db, incident);
    if (isVisible) announceIncident(db, 'incident_changed', incident, nowMs);
  },
  resolve_incident: (db, { incident }, nowMs) => {
    updateIncident(db, incident);
    announceIncident(db, 'incident_resolved', incident, nowMs);
  },
};

/** Writes the steps. Belongs in a transaction. */
export function applySteps(db: SqliteDatabase, steps: readonly AssessStep[], nowMs: number): void {
  for (const step of steps) {
    const execute = EXECUTORS[step.kind] as Executor<AssessStep['kind']>;
    execute(db, step, nowMs);
  }
}

type IncidentChangeKind = Extract<ChangeKind, `incident_${string}`>;

function announceIncident(db: SqliteDatabase, kind: IncidentChangeKind, incident: Incident, atMs: number): void {
  changes.append(db, { kind, refId: incident.id, body: toIncidentChange(incident), atMs });
}
