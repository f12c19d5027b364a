import type { Facts } from '@sitewarden/agent-proto/agent';
import type {
  ActionRunRow,
  AgentRow,
  CheckGoneRow,
  CheckRow,
  DeviceRow,
  IncidentRow,
  LossCode,
  PreviousLog,
  ReceiptPayload,
  ReleasePayload,
  RmmRow,
} from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared } from './statements.ts';

/** Kinds of rows in `change`; the hand-over from assess, healing, intake and uplink to evidence and outbox. */
export const CHANGE_KINDS = [
  'claimed', // ref: appliance id
  'config_applied', // ref: generation
  'agent_enrolled', // ref: agent id
  'agent_removed', // ref: agent id
  'agent_changed', // ref: agent id; telemetry only, no evidence
  'result_changed', // ref: source|check|subject; telemetry only, no evidence
  'result_gone', // ref: source|check|subject; telemetry only, no evidence
  'incident_opened', // ref: incident id
  'incident_changed', // ref: incident id; outbox only, no evidence
  'incident_needs_person', // ref: incident id
  'incident_resolved', // ref: incident id
  'action_started', // ref: action run id
  'action_finished', // ref: action run id (done, failed, refused, indeterminate)
  'action_verified', // ref: action run id (verified, not_verified)
  'order_received', // ref: relay order id
  'order_finished', // ref: relay order id
  'device_seen', // ref: device id; telemetry only, no evidence
  'rmm_changed', // ref: agent id; telemetry only, no evidence
  'loss', // ref: what was lost; evidence only
  'released', // ref: release id; evidence only, the last entry of a log
  'dik_rotated', // ref: fingerprint of the new key; evidence only
  'evk_rotated', // ref: fingerprint of the new key; evidence only
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** What the log is not about: these only go to the relay. */
export const NOT_EVIDENCE = [
  'agent_changed',
  'result_changed',
  'result_gone',
  'incident_changed',
  'device_seen',
  'rmm_changed',
] as const satisfies readonly ChangeKind[];

/** Looked at one by one when waiting changes are counted; beyond them their share stands for the rest. */
const COUNTED_ROWS = 1000;

export const CHANGE_SQL = {
  append: 'INSERT INTO change (kind, ref_id, body, at_ms) VALUES (?, ?, ?, ?)',
  since: 'SELECT id, kind, ref_id AS refId, body, at_ms AS atMs FROM change WHERE id > ? ORDER BY id LIMIT ?',
  sinceThrough:
    'SELECT id, kind, ref_id AS refId, body, at_ms AS atMs FROM change WHERE id > ? AND id <= ? ORDER BY id LIMIT ?',
  firstOf: `SELECT id, kind, ref_id AS refId, body, at_ms AS atMs FROM change WHERE kind = ? ORDER BY id LIMIT 1`,
  lastId: 'SELECT max(id) AS id FROM change',
  waiting: `SELECT kind, count(*) AS count, min(at_ms) AS oldestAtMs
    FROM (SELECT kind, at_ms FROM change WHERE id > ? ORDER BY id LIMIT ?) GROUP BY kind`,
  // The newest row stays: an emptied table would hand out its ids again, below the cursors.
  prune: `DELETE FROM change WHERE id IN
    (SELECT id FROM change WHERE id <= ? AND id < (SELECT max(id) FROM change) AND at_ms < ? ORDER BY id LIMIT ?)`,
} as const;

export interface ChangeRow {
  readonly id: number;
  readonly kind: ChangeKind;
  readonly refId: string;
  readonly body: unknown;
  readonly atMs: number;
}

/** What kind the body of a change has. Rows of agent-proto/http where the relay gets to see it as it is. */
export interface ChangeBodies {
  claimed: ClaimedBody;
  config_applied: ConfigAppliedBody;
  agent_enrolled: AgentRow;
  agent_removed: AgentRow;
  agent_changed: AgentRow;
  result_changed: CheckRow;
  result_gone: CheckGoneRow;
  incident_opened: IncidentChange;
  incident_changed: IncidentChange;
  incident_needs_person: IncidentChange;
  incident_resolved: IncidentChange;
  action_started: ActionRunChange;
  action_finished: ActionRunChange;
  action_verified: ActionRunChange;
  order_received: OrderChange;
  order_finished: OrderChange;
  device_seen: DeviceRow;
  rmm_changed: RmmRow;
  loss: LossBody;
  released: ReleasePayload;
  dik_rotated: KeyRotatedBody;
  evk_rotated: KeyRotatedBody;
}

/** Raw public keys, and the new key's signature over the transition. */
export interface KeyRotatedBody {
  readonly oldKey: string;
  readonly newKey: string;
  readonly newSignature: string;
}

/** The loss ledger: something that was stored is gone. */
export interface LossBody {
  /** `database`, or a lane of the outbox. */
  readonly what: string;
  /** Rows, where it is known. */
  readonly count: number | null;
  readonly code: LossCode;
  readonly text: string;
}

/** The grant without its envelopes, and what the claim says about the box. */
export interface ClaimedBody {
  readonly applianceId: string;
  readonly siteId: string;
  readonly siteName: string;
  readonly partnerName: string;
  readonly epoch: number;
  readonly claimedBy: string;
  readonly claimedAtMs: number;
  readonly codeId: string;
  readonly relayHost: string;
  readonly keys: { readonly dik: string; readonly evk: string; readonly seal: string };
  readonly serial: string;
  readonly model: string;
  readonly softwareVersion: string;
  readonly imageDigest: string;
  /** Only when the box was re-armed: where the log before this one ends. */
  readonly previous?: PreviousLog;
}

export interface ConfigAppliedBody {
  readonly generation: number;
  readonly issuedAtMs: number;
  /** Hex SHA-256 of the signed envelope. */
  readonly digest: string;
}

/** The row the relay gets, and beside it what only evidence needs. */
export interface IncidentChange {
  readonly row: IncidentRow;
  readonly controls: readonly string[];
  readonly facts: Facts;
}

export interface ActionRunChange {
  readonly row: ActionRunRow;
  readonly ruleDigest: string;
  readonly target: {
    readonly agentId: string | null;
    readonly host: string;
    readonly check: string;
    readonly subject: string;
  };
  readonly controls: readonly string[];
}

/** `state`: started, or an end. Becomes a receipt and an entry. */
export interface OrderChange {
  readonly orderId: string;
  readonly orderSeq: number;
  readonly action: string;
  readonly params: Facts;
  readonly requestedBy: string;
  readonly state: ReceiptPayload['state'];
  readonly code: string | null;
  readonly detail: string;
  readonly atMs: number;
  /** Of an order for one workstation. `check`: whose facts `before` and `after` are; null: of none. */
  readonly target?: { readonly agentId: string; readonly host: string; readonly check: string | null };
  /** `code` and `detail` are a workstation's own words: for people, not for evidence. */
  readonly isAnswer?: true;
  readonly before?: Facts;
  /** What an agent answered; for evidence as far as it is facts of `target.check`. */
  readonly after?: Facts;
}

/** Id of the new row. Belongs in the transaction of what changed; emit the signal `change` after its commit. */
export function append<K extends ChangeKind>(
  db: SqliteDatabase,
  change: { kind: K; refId: string; body: ChangeBodies[K]; atMs: number },
): number {
  const statement = prepared<[string, string, string, number]>(db, CHANGE_SQL.append);
  return Number(statement.run(change.kind, change.refId, JSON.stringify(change.body), change.atMs).lastInsertRowid);
}

type Raw = Omit<ChangeRow, 'body'> & { body: string };

/** Changes after `afterId`, oldest first. `throughId`: none beyond it. */
export function since(
  db: SqliteDatabase,
  afterId: number,
  { limit, throughId }: { limit: number; throughId?: number },
) {
  const raw =
    throughId === undefined
      ? prepared<[number, number], Raw>(db, CHANGE_SQL.since).all(afterId, limit)
      : prepared<[number, number, number], Raw>(db, CHANGE_SQL.sinceThrough).all(afterId, throughId, limit);
  return raw.map((row): ChangeRow => ({ ...row, body: bodyOf(row.body) }));
}

/** Null when it cannot be read: its readers say so in its place, and go on with the next. */
function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The oldest change of this kind that is still here. Reads the table through: for rare questions only. */
export function firstOf(db: SqliteDatabase, kind: ChangeKind): ChangeRow | undefined {
  const raw = prepared<[string], Raw>(db, CHANGE_SQL.firstOf).get(kind);
  return raw && { ...raw, body: JSON.parse(raw.body) };
}

/** 0 when there is none. */
export function lastId(db: SqliteDatabase): number {
  return prepared<[], { id: number | null }>(db, CHANGE_SQL.lastId).get()?.id ?? 0;
}

export interface WaitingChanges {
  readonly count: number;
  /** Undefined for none. */
  readonly oldestAtMs: number | undefined;
}

/** Changes after `afterId` of the kinds asked for. A million of them cost the same as a thousand. */
export function waiting(db: SqliteDatabase, afterId: number, isCounted: (kind: ChangeKind) => boolean): WaitingChanges {
  type Group = { kind: ChangeKind; count: number; oldestAtMs: number };
  const groups = prepared<[number, number], Group>(db, CHANGE_SQL.waiting).all(afterId, COUNTED_ROWS);
  const counted = groups.filter(({ kind }) => isCounted(kind));
  if (counted.length === 0) return { count: 0, oldestAtMs: undefined };
  const found = counted.reduce((sum, { count }) => sum + count, 0);
  const rest = Math.max(0, lastId(db) - afterId - COUNTED_ROWS);
  return {
    count: found + Math.round((rest * found) / COUNTED_ROWS),
    oldestAtMs: Math.min(...counted.map(({ oldestAtMs }) => oldestAtMs)),
  };
}

/** Removes at most `limit` changes every reader is done with and that are older than `beforeMs`. */
export function prune(
  db: SqliteDatabase,
  { throughId, beforeMs, limit }: { throughId: number; beforeMs: number; limit: number },
) {
  return prepared<[number, number, number]>(db, CHANGE_SQL.prune).run(throughId, beforeMs, limit).changes;
}
