import { canUndoAction } from '@sitewarden/agent-proto/checks';
import { relayErrors } from '../errors.ts';
import type { Tx } from '../store/index.ts';
import { listUndos, readOrder, type StoredOrder } from '../store/repositories/orders.ts';
import { shownOrderState } from './machine.ts';
import { isDryRun } from './wish.ts';

type Order = Pick<StoredOrder, 'id' | 'action' | 'params' | 'state' | 'undoes' | 'expiresAtMs'>;

const paramsOf = ({ params }: Pick<StoredOrder, 'params'>) => JSON.parse(params) as Record<string, unknown>;

/** It put something back, or may be about to: one that came to nothing leaves the way free for another. */
function counts(undo: Order, nowMs: number): boolean {
  const state = shownOrderState(undo, nowMs);
  const isOver = state === 'failed' || state === 'refused' || state === 'expired' || state === 'indeterminate';
  return !isOver && !isDryRun(paramsOf(undo));
}

/** Which order put back, or is about to put back, each of these; those without one are missing. */
export async function undosOf(
  trx: Tx,
  { siteId, orders, nowMs }: { siteId: string; orders: readonly StoredOrder[]; nowMs: number },
): Promise<Map<string, StoredOrder>> {
  const orderIds = orders.filter(({ action }) => canUndoAction(action)).map(({ id }) => id);
  const undos = await listUndos(trx, { siteId, orderIds });
  return new Map(undos.filter((undo) => counts(undo, nowMs)).map((undo) => [undo.undoes as string, undo]));
}

/** Pure, beside who put it back. */
export const isUndoable = (order: Order): boolean =>
  order.state === 'done' && canUndoAction(order.action) && !isDryRun(paramsOf(order));

/** The order an undo names. Throws the UNDO_ codes. Belongs behind the lock that hands out order numbers. */
export async function assertUndoable(
  trx: Tx,
  { siteId, agentId, orderId, nowMs }: { siteId: string; agentId: string; orderId: string; nowMs: number },
): Promise<StoredOrder> {
  const field = '/params/order_id';
  const order = await readOrder(trx, { siteId, orderId });
  if (order === undefined) throw relayErrors.make('UNDO_ORDER_UNKNOWN', { field });
  if (paramsOf(order).agent_id !== agentId) throw relayErrors.make('UNDO_OTHER_AGENT', { field });
  if (!canUndoAction(order.action)) {
    throw relayErrors.make('UNDO_NOT_POSSIBLE', { field, detail: `That order was ${order.action}` });
  }
  if (order.state !== 'done') {
    throw relayErrors.make('UNDO_NOT_DONE', { field, detail: `It is ${shownOrderState(order, nowMs)}` });
  }
  if (isDryRun(paramsOf(order))) throw relayErrors.make('UNDO_DRY_RUN', { field });
  const undone = (await undosOf(trx, { siteId, orders: [order], nowMs })).get(order.id);
  if (undone === undefined) return order;
  throw relayErrors.make('UNDO_TWICE', {
    field,
    detail: `By ${undone.requestedBy}, with the order ${undone.id}`,
    data: { orderId: undone.id },
  });
}
