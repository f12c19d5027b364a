import { encodeFacts, type Facts, type OrderReceipt, OrderState } from '@sitewarden/agent-proto/agent';
import { agentErrors } from '../errors.ts';
import type { OrderRef } from '../queue/index.ts';
import type { ActionResult, Refusal } from './actions/index.ts';

interface ReceiptFields {
  readonly orderId: string;
  readonly state: OrderState;
  readonly atMs: number;
  readonly code?: string;
  readonly detail?: string;
  readonly before?: Facts;
  readonly after?: Facts;
}

const MAX_DETAIL_CHARS = 1024;

function receipt(fields: ReceiptFields): OrderReceipt {
  const { orderId, state, atMs, code = '', detail = '', before = {}, after = {} } = fields;
  return {
    orderId,
    state,
    code,
    detail: detail.slice(0, MAX_DETAIL_CHARS),
    before: encodeFacts(before),
    after: encodeFacts(after),
    atMs,
  };
}

export function startedReceipt(orderId: string, atMs: number): OrderReceipt {
  return receipt({ orderId, state: OrderState.ORDER_STATE_STARTED, atMs });
}

/** The detail is the sentence of the error table, which names the next step. */
export function refusedReceipt(orderId: string, { code, detail }: Refusal, atMs: number): OrderReceipt {
  const { message } = agentErrors.make(code, { detail });
  return receipt({ orderId, state: OrderState.ORDER_STATE_REFUSED, atMs, code, detail: message });
}

export function endedReceipt(orderId: string, result: ActionResult, atMs: number): OrderReceipt {
  const { refusal, failure, note = '', before, after } = result;
  if (refusal !== undefined) return { ...refusedReceipt(orderId, refusal, atMs), before: encodeFacts(before) };
  const state = failure === undefined ? OrderState.ORDER_STATE_DONE : OrderState.ORDER_STATE_FAILED;
  return receipt({ orderId, state, atMs, ...(failure ?? { detail: note }), before, after });
}

/** Of an update it is known that the old program stayed: what follows it is told by what was left for the next start. */
export function interruptedReceipt({ orderId, action }: OrderRef, atMs: number): OrderReceipt {
  const { code, message } = agentErrors.make(action === 'update_agent' ? 'UPDATE_STOPPED' : 'INDETERMINATE');
  return receipt({ orderId, state: OrderState.ORDER_STATE_FAILED, atMs, code, detail: message });
}
