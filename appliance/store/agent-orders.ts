import type { Facts } from '@sitewarden/agent-proto/agent';
import type { OrderState } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { json, prepared } from './statements.ts';

export interface AgentOrderRecord {
  readonly id: string;
  readonly agentId: string;
  readonly action: string;
  readonly params: Facts;
  /** Healing asked for it. */
  readonly actionRunId: string | null;
  /** A person asked for it through the relay. */
  readonly relayOrderId: string | null;
  readonly requestedBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Until then the box keeps it to itself; null: it never waits. */
  readonly notBeforeMs: number | null;
  readonly state: OrderState;
  readonly code: string | null;
  readonly detail: string | null;
  readonly before: Facts | null;
  readonly after: Facts | null;
  readonly changedAtMs: number;
}

const COLUMNS = `id, agent_id AS agentId, action, params, action_run_id AS actionRunId, relay_order_id AS relayOrderId,
  requested_by AS requestedBy, created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs,
  not_before_ms AS notBeforeMs, state, code, detail, before, after, changed_at_ms AS changedAtMs`;
const IS_TIME = '(not_before_ms IS NULL OR not_before_ms <= ?)';
const OPEN = `state IN ('queued', 'delivered', 'started')`;

export const AGENT_ORDER_SQL = {
  insert: `INSERT INTO agent_order (id, agent_id, action, params, action_run_id, relay_order_id, requested_by, created_at_ms,
    expires_at_ms, not_before_ms, state, changed_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?)`,
  byId: `SELECT ${COLUMNS} FROM agent_order WHERE id = ?`,
  queuedFor: `SELECT ${COLUMNS} FROM agent_order WHERE agent_id = ? AND state = 'queued' AND ${IS_TIME}
    ORDER BY created_at_ms, id`,
  unansweredFor: `SELECT ${COLUMNS} FROM agent_order WHERE agent_id = ? AND state IN ('queued', 'delivered')
    AND ${IS_TIME} ORDER BY created_at_ms, id`,
  byRelayOrder: `SELECT ${COLUMNS} FROM agent_order WHERE relay_order_id = ? ORDER BY created_at_ms, id`,
  byActionRun: `SELECT ${COLUMNS} FROM agent_order WHERE action_run_id = ? ORDER BY created_at_ms, id`,
  move: `UPDATE agent_order SET state = ?, code = ?, detail = ?, before = ?, after = ?, changed_at_ms = ?
    WHERE id = ? AND ${OPEN}`,
  deliver: `UPDATE agent_order SET state = 'delivered', changed_at_ms = ? WHERE id = ? AND state = 'queued'`,
  endOpenOf: `UPDATE agent_order SET state = 'failed', code = ?, changed_at_ms = ? WHERE agent_id = ? AND ${OPEN}`,
  nowDue: `SELECT DISTINCT agent_id AS agentId FROM agent_order
    WHERE state = 'queued' AND not_before_ms IS NOT NULL AND not_before_ms > ? AND not_before_ms <= ?`,
  due: `SELECT ${COLUMNS} FROM agent_order WHERE ${OPEN} AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT 500`,
} as const;

type Raw = Omit<AgentOrderRecord, 'params' | 'before' | 'after'> & {
  params: string;
  before: string | null;
  after: string | null;
};

const record = (raw: Raw): AgentOrderRecord => ({
  ...raw,
  params: json(raw.params),
  before: raw.before === null ? null : json(raw.before),
  after: raw.after === null ? null : json(raw.after),
});

export type NewAgentOrder = Pick<
  AgentOrderRecord,
  | 'id'
  | 'agentId'
  | 'action'
  | 'params'
  | 'actionRunId'
  | 'relayOrderId'
  | 'requestedBy'
  | 'createdAtMs'
  | 'expiresAtMs'
> &
  Partial<Pick<AgentOrderRecord, 'notBeforeMs'>>;

/** Queued. After the commit emit the signal `agentOrder`. */
export function insert(db: SqliteDatabase, order: NewAgentOrder): void {
  prepared(db, AGENT_ORDER_SQL.insert).run(
    order.id,
    order.agentId,
    order.action,
    JSON.stringify(order.params),
    order.actionRunId,
    order.relayOrderId,
    order.requestedBy,
    order.createdAtMs,
    order.expiresAtMs,
    order.notBeforeMs ?? null,
    order.createdAtMs,
  );
}

export function byId(db: SqliteDatabase, id: string): AgentOrderRecord | undefined {
  const raw = prepared<[string], Raw>(db, AGENT_ORDER_SQL.byId).get(id);
  return raw && record(raw);
}

/** Those whose time has come, oldest first. */
export function queuedFor(db: SqliteDatabase, agentId: string, nowMs: number): AgentOrderRecord[] {
  return prepared<[string, number], Raw>(db, AGENT_ORDER_SQL.queuedFor).all(agentId, nowMs).map(record);
}

/** Queued, or delivered without a word back: what a new session is given. Agents do each order id once. */
export function unansweredFor(db: SqliteDatabase, agentId: string, nowMs: number): AgentOrderRecord[] {
  return prepared<[string, number], Raw>(db, AGENT_ORDER_SQL.unansweredFor).all(agentId, nowMs).map(record);
}

/** Agents with an order that waited for its time, which came after `sinceMs`. */
export function agentsNowDue(db: SqliteDatabase, { sinceMs, nowMs }: { sinceMs: number; nowMs: number }): string[] {
  type Row = { agentId: string };
  return prepared<[number, number], Row>(db, AGENT_ORDER_SQL.nowDue)
    .all(sinceMs, nowMs)
    .map(({ agentId }) => agentId);
}

export function byRelayOrder(db: SqliteDatabase, relayOrderId: string): AgentOrderRecord[] {
  return prepared<[string], Raw>(db, AGENT_ORDER_SQL.byRelayOrder).all(relayOrderId).map(record);
}

export function byActionRun(db: SqliteDatabase, actionRunId: string): AgentOrderRecord[] {
  return prepared<[string], Raw>(db, AGENT_ORDER_SQL.byActionRun).all(actionRunId).map(record);
}

/** Queued becomes delivered; no more than that. */
export function deliver(db: SqliteDatabase, { id, atMs }: { id: string; atMs: number }): boolean {
  return prepared(db, AGENT_ORDER_SQL.deliver).run(atMs, id).changes === 1;
}

export interface AgentOrderMove {
  readonly id: string;
  readonly state: OrderState;
  readonly code?: string | null;
  readonly detail?: string | null;
  readonly before?: Facts | null;
  readonly after?: Facts | null;
  readonly atMs: number;
}

/** False when the order already had an end: a late receipt changes nothing. */
export function move(db: SqliteDatabase, to: AgentOrderMove): boolean {
  const text = (facts: Facts | null | undefined) => (facts == null ? null : JSON.stringify(facts));
  const { id, state, code = null, detail = null, before, after, atMs } = to;
  return prepared(db, AGENT_ORDER_SQL.move).run(state, code, detail, text(before), text(after), atMs, id).changes === 1;
}

/** Nothing more is expected of this agent. */
export function endOpenOf(
  db: SqliteDatabase,
  { agentId, code, atMs }: { agentId: string; code: string; atMs: number },
): void {
  prepared(db, AGENT_ORDER_SQL.endOpenOf).run(code, atMs, agentId);
}

/** Open ones whose time is over. */
export function listDue(db: SqliteDatabase, nowMs: number): AgentOrderRecord[] {
  return prepared<[number], Raw>(db, AGENT_ORDER_SQL.due).all(nowMs).map(record);
}
