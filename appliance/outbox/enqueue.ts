import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import {
  compile,
  IncidentsLaneRow,
  LANES,
  OUTBOX_LIMITS,
  PAYLOAD_TYPES,
  ReceiptPayload,
  TelemetryLaneRow,
  type Validation,
} from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { DeviceKey } from '../identity/index.ts';
import type { ChangeBodies } from '../store/changes.ts';
import { actionRunById, type ChangeKind, type ChangeRow, incidentById, outbox } from '../store/index.ts';

/** What the relay hears of a change. */
export interface LaneEntry {
  readonly lane: outbox.StoredLane;
  readonly body: Uint8Array;
}

/** Writes the rows of the lanes. Throws UnfitRow. */
export interface LaneWriter {
  /** Undefined: the relay does not hear of it. */
  ofChange(change: ChangeRow): LaneEntry | undefined;
  receipt(order: ChangeBodies['order_received']): Uint8Array;
  incidents(row: IncidentsLaneRow): Uint8Array;
  telemetry(row: TelemetryLaneRow): Uint8Array;
}

export interface EnqueueRules {
  readonly db: SqliteDatabase;
  readonly dik: Pick<DeviceKey, 'envelope'>;
  readonly applianceId: string;
  readonly epoch: number;
}

/** A row that would be refused by the relay would hold up everything behind it: it is kept out here. */
export class UnfitRow extends Error {}

export function openLanes(db: SqliteDatabase, epoch: number): void {
  for (const lane of LANES) outbox.openLane(db, lane, epoch);
}

/** Which lane a change goes to; undefined for those the relay learns of in other ways. */
export const LANE_OF_CHANGE: { readonly [K in ChangeKind]: outbox.StoredLane | undefined } = {
  claimed: undefined,
  config_applied: undefined,
  loss: undefined,
  released: undefined,
  dik_rotated: undefined,
  evk_rotated: undefined,
  agent_enrolled: 'telemetry',
  agent_removed: 'telemetry',
  agent_changed: 'telemetry',
  result_changed: 'telemetry',
  result_gone: 'telemetry',
  device_seen: 'telemetry',
  rmm_changed: 'telemetry',
  incident_opened: 'incidents',
  incident_changed: 'incidents',
  incident_needs_person: 'incidents',
  incident_resolved: 'incidents',
  action_started: 'incidents',
  action_finished: 'incidents',
  action_verified: 'incidents',
  order_received: 'receipts',
  order_finished: 'receipts',
};

export function createLaneWriter(rules: EnqueueRules): LaneWriter {
  const validateIncident = compile(IncidentsLaneRow);
  const validateTelemetry = compile(TelemetryLaneRow);
  const validateReceipt = compile(ReceiptPayload);
  const incidents = (row: unknown) => jsonRow(row, validateIncident);
  const telemetry = (row: unknown) => jsonRow(row, validateTelemetry);

  /** The entry's number became known after the snapshot was taken. */
  function incident({ row }: ChangeBodies['incident_opened']): Uint8Array {
    return incidents({ ...row, evidenceSeq: incidentById(rules.db, row.id)?.evidenceSeq ?? null });
  }

  function actionRun({ row }: ChangeBodies['action_started']): Uint8Array {
    return incidents({ ...row, evidenceSeq: actionRunById(rules.db, row.id)?.evidenceSeq ?? null });
  }

  function receipt(order: ChangeBodies['order_received']): Uint8Array {
    const { orderId, orderSeq, state, code, detail, atMs, before, after } = order;
    const { applianceId, epoch } = rules;
    const payload = {
      ...{ orderId, applianceId, epoch, orderSeq, state, atMs },
      code: code && clipped(code, 256),
      // Without a receipt the relay would wait for the end of its order for ever: better the beginning of the words.
      detail: clipped(detail, 1024),
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    };
    const valid = validateReceipt(payload);
    if (!valid.ok) throw new UnfitRow(`${valid.field} ${valid.detail}`);
    return rules.dik.envelope(PAYLOAD_TYPES.receipt, canonicalBytes(payload));
  }

  const written: { [K in ChangeKind]?: (body: ChangeBodies[K]) => Uint8Array } = {
    incident_opened: incident,
    incident_changed: incident,
    incident_needs_person: incident,
    incident_resolved: incident,
    action_started: actionRun,
    action_finished: actionRun,
    action_verified: actionRun,
    order_received: receipt,
    order_finished: receipt,
  };
  return {
    ofChange({ kind, body }) {
      const lane = LANE_OF_CHANGE[kind];
      const write = (written[kind] ?? telemetry) as (body: unknown) => Uint8Array;
      return lane && { lane, body: write(body) };
    },
    receipt,
    incidents,
    telemetry,
  };
}

/** Canonical bytes take well-formed text only, and a cut can split a pair of surrogates. */
const clipped = (text: string, maxChars: number): string => text.slice(0, maxChars).toWellFormed();

function jsonRow(row: unknown, validate: (row: unknown) => Validation<unknown>): Uint8Array {
  const valid = validate(row);
  if (!valid.ok) throw new UnfitRow(`${valid.field} ${valid.detail}`);
  const body = Buffer.from(JSON.stringify(row), 'utf8');
  if (body.length > OUTBOX_LIMITS.maxRowBytes) throw new UnfitRow(`${body.length} bytes`);
  return body;
}
