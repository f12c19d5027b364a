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
  announce_result: ({ db, board }, { row }, nowMs) => {
    const refId = `${row.source}|${row.check}|${row.subject}`;
    board.later(() => changes.append(db, { kind: 'result_changed', refId, body: toCheckRow(row), atMs: nowMs }));
  },
  open_incident: (to, step, nowMs) => {
    const { db, board } = to;
    const incident = { ...step.incident, id: newId('inc'), evidenceSeq: null };
    board.setIncident(incident, incident);
    board.later(() => insertIncident(db, incident));
    announceIncident(to, 'incident_opened', incident, nowMs);
  },
  change_incident: (to, { incident, isVisible }, nowMs) => {
    const { db, board } = to;
    board.setIncident(incident, incident);
    board.later(() => updateIncident(db, incident));
    if (isVisible) announceIncident(to, 'incident_changed', incident, nowMs);
  },
  resolve_incident: (to, { incident }, nowMs) => {
    const { db, board } = to;
    board.endIncident(incident, nowMs);
    board.later(() => updateIncident(db, incident));
    announceIncident(to, 'incident_resolved', incident, nowMs);
  },
};

/** Notes the steps on the board; they are written when it is flushed. */
export function applySteps(to: ApplyTo, steps: readonly AssessStep[], nowMs: number): void {
  for (const step of steps) {
    const execute = EXECUTORS[step.kind] as Executor<AssessStep['kind']>;
    execute(to, step, nowMs);
  }
}

type IncidentChangeKind = Extract<ChangeKind, `incident_${string}`>;

function announceIncident({ db, board }: ApplyTo, kind: IncidentChangeKind, incident: Incident, atMs: number): void {
  board.later(() => changes.append(db, { kind, refId: incident.id, body: toIncidentChange(incident), atMs }));
}
