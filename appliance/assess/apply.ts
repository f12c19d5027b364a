import { newId } from '@sitewarden/kit/ids';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import {
  type ChangeKind,
  changes,
  type Incident,
  insertIncident,
  toCheckRow,
  toIncidentChange,
  updateIncident,
} from '../store/index.ts';
import type { Board } from './board.ts';
import type { AssessStep } from './decide.ts';

export interface ApplyTo {
  readonly db: SqliteDatabase;
  readonly board: Board;
}

type Executor<K extends AssessStep['kind']> = (
  to: ApplyTo,
  step: Extract<AssessStep, { kind: K }>,
  nowMs: number,
) => void;

/** Complete by type: a step nobody carries out does not compile. */
const EXECUTORS: { readonly [K in AssessStep['kind']]: Executor<K> } = {
  put_latest: ({ board }, { row }) => board.putLatest(row),
  start_run: ({ board }, { row }) => board.startRun(row),
  extend_run: ({ board }, { row }) => board.extendRun(row),
  announce_result: ({ db }, { row }, nowMs) => {
    const refId = `${row.source}|${row.check}|${row.subject}`;
    changes.append(db, { kind: 'result_changed', refId, body: toCheckRow(row), atMs: nowMs });
  },
  open_incident: ({ db, board }, step, nowMs) => {
    const incident = { ...step.incident, id: newId('inc'), evidenceSeq: null };
    insertIncident(db, incident);
    board.setIncident(incident, incident);
    announceIncident(db, 'incident_opened', incident, nowMs);
  },
  change_incident: ({ db, board }, { incident, isVisible }, nowMs) => {
    updateIncident(db, incident);
    board.setIncident(incident, incident);
    if (isVisible) announceIncident(db, 'incident_changed', incident, nowMs);
  },
  resolve_incident: ({ db, board }, { incident }, nowMs) => {
    updateIncident(db, incident);
    board.setIncident(incident, undefined);
    announceIncident(db, 'incident_resolved', incident, nowMs);
  },
};

/** Writes the steps, some at once and some when the board is flushed. Belongs in a transaction. */
export function applySteps(to: ApplyTo, steps: readonly AssessStep[], nowMs: number): void {
  for (const step of steps) {
    const execute = EXECUTORS[step.kind] as Executor<AssessStep['kind']>;
    execute(to, step, nowMs);
  }
}

type IncidentChangeKind = Extract<ChangeKind, `incident_${string}`>;

function announceIncident(db: SqliteDatabase, kind: IncidentChangeKind, incident: Incident, atMs: number): void {
  changes.append(db, { kind, refId: incident.id, body: toIncidentChange(incident), atMs });
}
