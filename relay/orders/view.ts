import type { OrderState } from '@sitewarden/agent-proto/http';
import type { Tx } from '../store/index.ts';
import type { StoredOrder } from '../store/repositories/orders.ts';
import { shownOrderState } from './machine.ts';
import { isUndoable, undosOf } from './undo.ts';
import { isDryRun } from './wish.ts';

type Facts = Record<string, string | number | boolean | string[]>;

export interface ShownOrder {
  id: string;
  siteId: string;
  action: string;
  params: Facts;
  agentId: string | null;
  state: OrderState;
  code: string | null;
  detail: string;
  dryRun: boolean;
  before: Facts | null;
  after: Facts | null;
  canUndo: boolean;
  /** The order that put this one back, or is about to. */
  undoneBy: { orderId: string; requestedBy: string; state: OrderState; createdAtMs: number } | null;
  requestedBy: string;
  createdAtMs: number;
  changedAtMs: number;
  expiresAtMs: number;
}

/** Orders of one site as staff see them, in the same order, each with the one that put it back. */
export async function viewOrders(
  trx: Tx,
  { siteId, orders, nowMs }: { siteId: string; orders: readonly StoredOrder[]; nowMs: number },
): Promise<ShownOrder[]> {
  const undos = await undosOf(trx, { siteId, orders, nowMs });
  return orders.map((order) => viewOrder(order, nowMs, undos.get(order.id)));
}

/** An order as staff see it: without its envelope, and expired when its time ran out unanswered. */
export function viewOrder(order: StoredOrder, nowMs: number, undo?: StoredOrder): ShownOrder {
  const params = JSON.parse(order.params) as Facts;
  const { agent_id: agentId } = params;
  const state = shownOrderState(order, nowMs);
  const hasRunOut = state === 'expired' && order.state !== 'expired';
  return {
    id: order.id,
    siteId: order.siteId,
    action: order.action,
    params,
    agentId: typeof agentId === 'string' ? agentId : null,
    state,
    code: order.code,
    detail: hasRunOut
      ? 'The box did not answer in time. If it ran the order, its receipt will still be shown.'
      : order.detail,
    dryRun: isDryRun(params),
    before: order.before === null ? null : (JSON.parse(order.before) as Facts),
    after: order.after === null ? null : (JSON.parse(order.after) as Facts),
    canUndo: undo === undefined && isUndoable(order),
    undoneBy:
      undo === undefined
        ? null
        : {
            orderId: undo.id,
            requestedBy: undo.requestedBy,
            state: shownOrderState(undo, nowMs),
            createdAtMs: undo.createdAtMs,
          },
    requestedBy: order.requestedBy,
    createdAtMs: order.createdAtMs,
    changedAtMs: hasRunOut ? order.expiresAtMs : order.changedAtMs,
    expiresAtMs: order.expiresAtMs,
  };
}
