import type { Facts } from '@sitewarden/agent-proto/agent';
import type { OrderState } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { OrderChange } from './changes.ts';
import { json, prepared } from './statements.ts';

export interface RelayOrderRecord {
  readonly orderId: string;
  readonly seq: number;
  readonly action: string;
  readonly params: Facts;
  readonly requestedBy: string;
  readonly expiresAtMs: number;
  readonly state: OrderState;
  readonly code: string | null;
  readonly detail: string;
  /** Whether the box itself was asked, and whether its report of this order is stored; null when it was not asked. */
  readonly boxCheck: 'wanted' | 'done' | null;
  readonly receivedAtMs: number;
  readonly changedAtMs: number;
}

const COLUMNS = `order_id AS orderId, seq, action, params, requested_by AS requestedBy, expires_at_ms AS expiresAtMs, state,
  code, detail, box_check AS boxCheck, received_at_ms AS receivedAtMs, changed_at_ms AS changedAtMs`;

export const RELAY_ORDER_SQL = {
  insert: `INSERT INTO relay_order (order_id, seq, action, params, requested_by, expires_at_ms, state, code, detail,
    box_check, received_at_ms, changed_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  byId: `SELECT ${COLUMNS} FROM relay_order WHERE order_id = ?`,
  maxSeq: 'SELECT max(seq) AS seq FROM relay_order',
  open: `SELECT ${COLUMNS} FROM relay_order WHERE state IN ('queued', 'delivered', 'started') ORDER BY seq`,
  recent: `SELECT ${COLUMNS} FROM relay_order ORDER BY seq DESC LIMIT ?`,
  // An order that ended meanwhile wants nothing any more.
  boxWanted: `SELECT order_id AS orderId FROM relay_order WHERE box_check = 'wanted' AND state = 'started' ORDER BY seq LIMIT 1`,
  boxChecked: `UPDATE relay_order SET box_check = 'done' WHERE order_id = ? AND box_check = 'wanted'`,
  move: 'UPDATE relay_order SET state = ?, code = ?, detail = ?, changed_at_ms = ? WHERE order_id = ?',
} as const;

type Raw = Omit<RelayOrderRecord, 'params'> & { params: string };

const record = (raw: Raw): RelayOrderRecord => ({ ...raw, params: json(raw.params) });

/** Throws SQLITE_CONSTRAINT for an order id or a sequence number seen before. */
export function insert(db: SqliteDatabase, order: RelayOrderRecord): void {
  prepared(db, RELAY_ORDER_SQL.insert).run(
    order.orderId,
    order.seq,
    order.action,
    JSON.stringify(order.params),
    order.requestedBy,
    order.expiresAtMs,
    order.state,
    order.code,
    order.detail,
    order.boxCheck,
    order.receivedAtMs,
    order.changedAtMs,
  );
}

export function byId(db: SqliteDatabase, orderId: string): RelayOrderRecord | undefined {
  const raw = prepared<[string], Raw>(db, RELAY_ORDER_SQL.byId).get(orderId);
  return raw && record(raw);
}

/** 0 before the first. */
export function maxSeq(db: SqliteDatabase): number {
  return prepared<[], { seq: number | null }>(db, RELAY_ORDER_SQL.maxSeq).get()?.seq ?? 0;
}

/** Without an end yet, oldest first. */
export function listOpen(db: SqliteDatabase): RelayOrderRecord[] {
  return prepared<[], Raw>(db, RELAY_ORDER_SQL.open).all().map(record);
}

/** Newest first. */
export function listRecent(db: SqliteDatabase, limit: number): RelayOrderRecord[] {
  return prepared<[number], Raw>(db, RELAY_ORDER_SQL.recent).all(limit).map(record);
}

/** The oldest order that waits for the box's own report. */
export function boxWanted(db: SqliteDatabase): string | undefined {
  return prepared<[], { orderId: string }>(db, RELAY_ORDER_SQL.boxWanted).get()?.orderId;
}

/** Belongs in the transaction that stores the report of this order. */
export function setBoxChecked(db: SqliteDatabase, orderId: string): void {
  prepared(db, RELAY_ORDER_SQL.boxChecked).run(orderId);
}

export function move(
  db: SqliteDatabase,
  to: Pick<RelayOrderRecord, 'orderId' | 'state' | 'code' | 'detail' | 'changedAtMs'>,
): void {
  prepared(db, RELAY_ORDER_SQL.move).run(to.state, to.code, to.detail, to.changedAtMs, to.orderId);
}

/** Body of the two order changes, and of the receipt. */
export function toChange(
  order: RelayOrderRecord,
  state: OrderChange['state'],
  target: OrderChange['target'],
): OrderChange {
  const { orderId, seq, action, params, requestedBy, code, detail, changedAtMs } = order;
  const change = { orderId, orderSeq: seq, action, params, requestedBy, state, code, detail, atMs: changedAtMs };
  return target === undefined ? change : { ...change, target };
}
