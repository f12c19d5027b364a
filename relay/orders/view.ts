import type { OrderState } from '@sitewarden/agent-proto/http';
import type { StoredOrder } from '../store/repositories/orders.ts';
import { shownOrderState } from './machine.ts';

type Facts = Record<string, string | number | boolean | string[]>;

export interface ShownOrder {
  id: string;
  siteId: string;
  action: string;
  params: Facts;
  state: OrderState;
  code: string | null;
  detail: string;
  after: Facts | null;
  requestedBy: string;
  createdAtMs: number;
  changedAtMs: number;
  expiresAtMs: number;
}

/** An order as staff see it: without its envelope, and expired when its time ran out unanswered. */
export function viewOrder(order: StoredOrder, nowMs: number): ShownOrder {
  const state = shownOrderState(order, nowMs);
  const hasRunOut = state === 'expired' && order.state !== 'expired';
  return {
    id: order.id,
    siteId: order.siteId,
    action: order.action,
    params: JSON.parse(order.params) as Facts,
    state,
    code: order.code,
    detail: hasRunOut
      ? 'The box did not answer in time. If it ran the order, its receipt will still be shown.'
      : order.detail,
    after: order.after === null ? null : (JSON.parse(order.after) as Facts),
    requestedBy: order.requestedBy,
    createdAtMs: order.createdAtMs,
    changedAtMs: hasRunOut ? order.expiresAtMs : order.changedAtMs,
    expiresAtMs: order.expiresAtMs,
  };
}
