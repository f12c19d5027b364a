import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox';
import { ACTION_PARAMS, MENDING_ACTIONS, type MendingAction } from '../actions/params.ts';
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

/** Those of the box itself and the two that change nothing; then all that mends something on a workstation. */
export const ORDER_ACTIONS = ['run_check', 'remove_agent', 'collect_diagnostics', ...MENDING_ACTIONS] as const;
export type OrderAction = (typeof ORDER_ACTIONS)[number];

const OneAgent = closed({ agent_id: Id('agt') });

/** As the agent takes them, for one agent. `undo` names the order of staff; the box knows which of the agent's own it led to. */
const mendingParams = Object.fromEntries(
  MENDING_ACTIONS.map((name) => {
    const { properties } = ACTION_PARAMS[name];
    const undone = name === 'undo' ? { order_id: Id('ord') } : {};
    return [name, closed({ agent_id: Id('agt'), ...properties, ...undone })];
  }),
) as unknown as Record<MendingAction, TObject>;

/** What each action takes. The relay makes nothing else; a box refuses anything else with ORDER_PARAMS_INVALID. */
export const ORDER_PARAMS = {
  /** All agents and the box when `agent_id` is absent; all checks when `checks` is. */
  run_check: closed({
    agent_id: Type.Optional(Id('agt')),
    checks: Type.Optional(Type.Array(ShortText, { maxItems: 16 })),
  }),
  /** Done when the box no longer knows the agent; the agent itself stops at its next contact. */
  remove_agent: OneAgent,
  /** The answer is the `after` of the receipt. */
  collect_diagnostics: OneAgent,
  ...mendingParams,
} as const satisfies Record<OrderAction, TSchema>;

export const isOrderAction = (name: string): name is OrderAction => (ORDER_ACTIONS as readonly string[]).includes(name);

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
  /** One of ORDER_ACTIONS; a box that does not know it refuses it with ORDER_ACTION_UNKNOWN. */
  action: Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' }),
  /** As in ORDER_PARAMS. */
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
  /** Of what mends: the closed facts of its check, seen before it and after it. */
  before: Type.Optional(FactsObject),
  /** What the agent answered, once done: for collect_diagnostics, facts of DIAGNOSTICS. Missing: nothing. */
  after: Type.Optional(FactsObject),
});
export type ReceiptPayload = Static<typeof ReceiptPayload>;

/** GET /api/appliances/config. */
export const ConfigResponse = closed({ config: EnvelopeText, relayKeys: EnvelopeText });
export type ConfigResponse = Static<typeof ConfigResponse>;
