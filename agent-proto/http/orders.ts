import { type Static, Type } from '@sinclair/typebox';
import {
  Count,
  closed,
  EnvelopeText,
  FactsObject,
  Id,
  Nonce,
  Nullable,
  oneOf,
  ShortText,
  Text,
  UnixMs,
} from './common.ts';

export const ORDER_ACTIONS = ['run_check'] as const;
export type OrderAction = (typeof ORDER_ACTIONS)[number];

export const ORDER_STATES = [
  'queued',
  'delivered',
  'started',
  'done',
  'failed',
  'refused',
  'expired',
  'indeterminate',
] as const;
export type OrderState = (typeof ORDER_STATES)[number];

/** DSSE by the relay's `order` key, payload type PAYLOAD_TYPES.order. */
export const OrderPayload = closed({
  orderId: Id('ord'),
  applianceId: Id('app'),
  epoch: Type.Integer({ minimum: 1 }),
  seq: Type.Integer({ minimum: 1, description: 'rises per appliance and epoch' }),
  issuedAtMs: UnixMs,
  expiresAtMs: UnixMs,
  nonce: Nonce,
  action: oneOf(ORDER_ACTIONS),
  /** run_check: `agent_id` (one agent; all when absent) and `checks` (list; all when absent). */
  params: FactsObject,
  requestedBy: ShortText,
  approvedBy: Nullable(ShortText),
});
export type OrderPayload = Static<typeof OrderPayload>;

/** GET /api/appliances/orders: oldest first, every order not yet finished. */
export const OrdersResponse = closed({ orders: Type.Array(EnvelopeText, { maxItems: 100 }) });
export type OrdersResponse = Static<typeof OrdersResponse>;

/** Lane receipts: DSSE by `dik`, payload type PAYLOAD_TYPES.receipt. */
export const ReceiptPayload = closed({
  orderId: Id('ord'),
  applianceId: Id('app'),
  epoch: Type.Integer({ minimum: 1 }),
  orderSeq: Count,
  state: oneOf(['started', 'done', 'failed', 'refused', 'expired', 'indeterminate'] as const),
  code: Nullable(ShortText),
  detail: Text,
  atMs: UnixMs,
});
export type ReceiptPayload = Static<typeof ReceiptPayload>;

/** GET /api/appliances/config. */
export const ConfigResponse = closed({ config: EnvelopeText, relayKeys: EnvelopeText });
export type ConfigResponse = Static<typeof ConfigResponse>;
