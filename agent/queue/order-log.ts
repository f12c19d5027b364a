import { type Facts, OrderReceipt } from '@sitewarden/agent-proto/agent';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import type { Clock } from '@sitewarden/kit/time';
import { SQL } from './sql.ts';

export type OrderRowState = 'started' | 'done' | 'failed' | 'refused';

export interface OrderRef {
  readonly orderId: string;
  readonly action: string;
}

export interface WaitingReceipt {
  readonly position: number;
  readonly receipt: OrderReceipt;
}

export interface OrderLog {
  /** undefined for an order never seen. */
  find(orderId: string): OrderRowState | undefined;
  /** Notes the order and its first receipt before anything is done; false when it was noted before: do nothing then. */
  open(order: OrderRef, state: 'started' | 'refused', receipt: OrderReceipt): boolean;
  close(orderId: string, state: 'done' | 'failed' | 'refused', receipt: OrderReceipt): void;
  /** Keeps what was there before the order changed it. Throws RangeError beyond MAX_UNDO_CHARS of JSON. */
  keepUndo(orderId: string, undo: OrderUndo): void;
  /** undefined for an order that kept nothing, or whose memory was used or is too old. */
  findUndo(orderId: string): OrderUndo | undefined;
  /** It was put back: once is enough. */
  dropUndo(orderId: string): void;
  /** Orders that a stopped process left started. */
  interrupted(): OrderRef[];
  /** Sends the newest receipt of a known order again. */
  repeat(orderId: string): void;
  waiting(afterPosition: number, limit: number): WaitingReceipt[];
  /** Receipts up to here have reached the appliance. */
  delivered(throughPosition: number): void;
  /** Sends this one no more: the appliance refuses it. */
  setAside(position: number): void;
  onReceipt(listener: () => void): () => void;
}

/** What an order can be undone by. */
export interface OrderUndo {
  readonly action: string;
  readonly kept: Facts;
}

export const MAX_UNDO_CHARS = 64 * 1024;
/** The newest stay; a workstation that was changed so often since cannot be put back by the older ones. */
const MAX_UNDOS = 256;

/** The appliance gives an order again for as long as it has no receipt; a month is far beyond any order's life. */
const KEEP_MS = 30 * 86_400_000;

export function createOrderLog(db: SqliteDatabase, clock: Clock): OrderLog {
  const findOrder = db.prepare<[{ orderId: string }], { state: OrderRowState }>(SQL.findOrder);
  const insertOrder = db.prepare(
    `INSERT INTO agent_order (order_id, action, state, received_at_ms, finished_at_ms)
     VALUES (@orderId, @action, @state, @nowMs, @finishedAtMs) ON CONFLICT (order_id) DO NOTHING`,
  );
  const endOrder = db.prepare(
    `UPDATE agent_order SET state = @state, finished_at_ms = @nowMs WHERE order_id = @orderId AND state = 'started'`,
  );
  const insertReceipt = db.prepare('INSERT INTO order_receipt (order_id, body) VALUES (@orderId, @body)');
  const forgetOld = db.prepare('DELETE FROM agent_order WHERE finished_at_ms < @beforeMs');
  const waitingReceipts = db.prepare<
    [{ after: number; limit: number }],
    { position: number; order_id: string; body: Buffer }
  >(SQL.waitingReceipts);
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const keep = (orderId: string, receipt: OrderReceipt) =>
    insertReceipt.run({ orderId, body: OrderReceipt.encode(receipt).finish() });

  return {
    find: (orderId) => findOrder.get({ orderId })?.state,
    open({ orderId, action }, state, receipt) {
      const nowMs = clock.nowMs();
      const isNew = withTransaction(db, () => {
        forgetOld.run({ beforeMs: nowMs - KEEP_MS });
        const finishedAtMs = state === 'started' ? null : nowMs;
        if (insertOrder.run({ orderId, action, state, nowMs, finishedAtMs }).changes === 0) return false;
        keep(orderId, receipt);
        return true;
      });
      if (isNew) tell();
      return isNew;
    },
    close(orderId, state, receipt) {
      withTransaction(db, () => {
        if (endOrder.run({ orderId, state, nowMs: clock.nowMs() }).changes === 1) keep(orderId, receipt);
      });
      tell();
    },
    keepUndo(orderId, undo) {
      const body = JSON.stringify(undo);
      if (body.length > MAX_UNDO_CHARS) throw new RangeError(`what ${undo.action} has to keep is too long`);
      withTransaction(db, () => {
        db.prepare(
          `INSERT INTO order_undo (order_id, body) VALUES (?, ?)
           ON CONFLICT (order_id) DO UPDATE SET body = excluded.body`,
        ).run(orderId, body);
        db.prepare(
          'DELETE FROM order_undo WHERE position NOT IN (SELECT position FROM order_undo ORDER BY position DESC LIMIT ?)',
        ).run(MAX_UNDOS);
      });
    },
    findUndo(orderId) {
      const row = db.prepare<[string], { body: string }>('SELECT body FROM order_undo WHERE order_id = ?').get(orderId);
      return row === undefined ? undefined : (JSON.parse(row.body) as OrderUndo);
    },
    dropUndo(orderId) {
      db.prepare('DELETE FROM order_undo WHERE order_id = ?').run(orderId);
    },
    interrupted: () =>
      db
        .prepare<[], OrderRef>(
          `SELECT order_id AS orderId, action FROM agent_order WHERE state = 'started' ORDER BY received_at_ms`,
        )
        .all(),
    repeat(orderId) {
      // A new row and not the old one again: positions already passed in a session are not looked at twice.
      withTransaction(db, () => {
        db.prepare(
          `INSERT INTO order_receipt (order_id, body)
           SELECT order_id, body FROM order_receipt WHERE order_id = ? ORDER BY position DESC LIMIT 1`,
        ).run(orderId);
        db.prepare(
          `DELETE FROM order_receipt WHERE order_id = ? AND position < (SELECT max(position) FROM order_receipt)
           AND delivered = 1`,
        ).run(orderId);
      });
      tell();
    },
    waiting: (after, limit) =>
      waitingReceipts.all({ after, limit }).map(({ position, body }) => ({
        position,
        receipt: OrderReceipt.decode(body),
      })),
    delivered(throughPosition) {
      db.prepare('UPDATE order_receipt SET delivered = 1 WHERE delivered = 0 AND position <= ?').run(throughPosition);
    },
    setAside(position) {
      db.prepare('UPDATE order_receipt SET delivered = 1 WHERE position = ?').run(position);
    },
    onReceipt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
