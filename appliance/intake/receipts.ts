import { decodeFacts, type OrderReceipt, OrderState } from '@sitewarden/agent-proto/agent';
import type { ApplianceContext } from '../lib/context.ts';
import { agentOrders } from '../store/index.ts';

const STATES = {
  [OrderState.ORDER_STATE_STARTED]: 'started',
  [OrderState.ORDER_STATE_DONE]: 'done',
  [OrderState.ORDER_STATE_FAILED]: 'failed',
  [OrderState.ORDER_STATE_REFUSED]: 'refused',
  [OrderState.ORDER_STATE_EXPIRED]: 'expired',
} as const;

/** Files what an agent says about one of its own orders; what is about another's, or about none, is only logged. */
export function fileReceipt(ctx: ApplianceContext, agentId: string, receipt: OrderReceipt): void {
  const order = agentOrders.byId(ctx.db, receipt.orderId);
  const state = STATES[receipt.state as keyof typeof STATES];
  if (order?.agentId !== agentId || state === undefined) {
    ctx.log.warn({ agentId, orderId: receipt.orderId }, 'receipt for an order this agent does not have');
    return;
  }
  const isMoved = agentOrders.move(ctx.db, {
    id: order.id,
    state,
    code: receipt.code === '' ? null : receipt.code,
    detail: receipt.detail,
    before: decodeFacts(receipt.before),
    after: decodeFacts(receipt.after),
    atMs: ctx.clock.nowMs(),
  });
  if (isMoved) ctx.signals.emit('agentOrder', { agentId });
}
