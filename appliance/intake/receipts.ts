import { decodeFacts, type OrderReceipt, OrderState } from '@sitewarden/agent-proto/agent';
import { cleanText } from '../lib/clean-text.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { agentOrders } from '../store/index.ts';

const STATES = {
  [OrderState.ORDER_STATE_STARTED]: 'started',
  [OrderState.ORDER_STATE_DONE]: 'done',
  [OrderState.ORDER_STATE_FAILED]: 'failed',
  [OrderState.ORDER_STATE_REFUSED]: 'refused',
  [OrderState.ORDER_STATE_EXPIRED]: 'expired',
} as const;

export interface Receipts {
  /** Files what an agent says about one of its own orders; what is about another's, or about none, is only counted. */
  file(agentId: string, receipt: OrderReceipt): void;
}

export function createReceipts(ctx: ApplianceContext): Receipts {
  /** One number for each enrolled agent that ever sent one. */
  const unknownOf = new Map<string, number>();

  /** Said at the first, the tenth, the hundredth and so on: what an agent sends must not fill the log. */
  function countUnknown(agentId: string): void {
    const count = (unknownOf.get(agentId) ?? 0) + 1;
    unknownOf.set(agentId, count);
    if (!isPowerOfTen(count)) return;
    ctx.log.warn({ agentId, count }, 'receipts for orders this agent does not have; said again at ten times as many');
  }

  return {
    file(agentId, receipt) {
      const order = agentOrders.byId(ctx.db, receipt.orderId);
      const state = STATES[receipt.state as keyof typeof STATES];
      if (order?.agentId !== agentId || state === undefined) {
        countUnknown(agentId);
        return;
      }
      const isMoved = agentOrders.move(ctx.db, {
        id: order.id,
        state,
        code: receipt.code === '' ? null : cleanText(receipt.code),
        detail: cleanText(receipt.detail),
        before: decodeFacts(receipt.before),
        after: decodeFacts(receipt.after),
        atMs: ctx.clock.nowMs(),
      });
      if (isMoved) ctx.signals.emit('agentOrder', { agentId });
    },
  };
}

const isPowerOfTen = (count: number): boolean => Number.isInteger(Math.log10(count));
