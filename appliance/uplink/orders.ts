import type { Static, TSchema } from '@sinclair/typebox';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { type AgentAction, CHECK_NAMES, isCheckName } from '@sitewarden/agent-proto/checks';
import {
  BOX_PATHS,
  compile,
  isOrderAction,
  ORDER_ACTIONS,
  ORDER_PARAMS,
  type OrderAction,
  type OrderPayload,
  OrdersResponse,
  type Validator,
} from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { withTransaction } from '@sitewarden/kit/sqlite';
import { BOX_CHECKS } from '../lib/box-checks.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { lazily } from '../lib/lazily.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { readOrder, TrustError } from '../lib/trust.ts';
import { type AgentRecord, byId as agentById, list as listAgents } from '../store/agents.ts';
import { agentOrders, changes, relayOrders, removeAgent, state } from '../store/index.ts';

/** Why an order is not run although it is genuine. */
export const ORDER_REFUSALS = {
  ORDER_EXPIRED: 'The order reached the box after its time. Give it again.',
  ORDER_AGENT_UNKNOWN: 'This site has no active agent of that id. Look at the list of agents.',
  ORDER_ACTION_UNKNOWN: 'This version of the box does not know the action. Update the appliance.',
  ORDER_PARAMS_INVALID: 'The parameters do not fit the action. Give the order again.',
  ORDER_CHECKS_UNKNOWN: 'None of the named checks is known to this version. Update the appliance.',
} as const;
const REMOVED = 'The box no longer lets this agent in; the agent stops at its next contact';
const REMOVED_BEFORE = 'The agent was removed before';
type Refusal = keyof typeof ORDER_REFUSALS;

export interface OrderTaker {
  /** Fetches what the relay has and begins what is new, each order once. Rejects with RelayFailure. */
  fetch(): Promise<void>;
}

type Plan =
  /** One order for each agent; `boxChecks`: what the box itself is to look at. */
  | {
      readonly kind: 'ask';
      readonly agents: readonly AgentRecord[];
      readonly action: AgentAction;
      readonly params: Facts;
      readonly boxChecks: readonly string[];
    }
  | { readonly kind: 'remove'; readonly agentId: string };

export function createOrderTaker(ctx: ApplianceContext, client: RelayClient): OrderTaker {
  const { db, clock, log, signals } = ctx;
  const validator = lazily(() => compile(OrdersResponse));
  const paramsOf = Object.fromEntries(
    ORDER_ACTIONS.map((action) => [action, lazily(() => compile<TSchema>(ORDER_PARAMS[action]))]),
  ) as Record<OrderAction, () => Validator<unknown>>;

  /** A genuine order for this box that was never seen; undefined for everything else. */
  function readNew(envelope: string): OrderPayload | undefined {
    const claim = state.get(db, 'claim');
    const keys = state.relayKeys(db);
    if (claim?.phase !== 'claimed' || keys === undefined) return undefined;
    let order: OrderPayload;
    try {
      order = readOrder(envelope, keys);
    } catch (error) {
      if (!(error instanceof TrustError)) throw error;
      log.warn({ why: error.message }, 'an order that does not verify was ignored');
      return undefined;
    }
    const { applianceId, epoch } = claim.site;
    if (order.applianceId !== applianceId || order.epoch !== epoch) {
      log.warn({ orderId: order.orderId }, "another box's order was ignored");
      return undefined;
    }
    if (relayOrders.byId(db, order.orderId) !== undefined) return undefined;
    if (order.seq <= relayOrders.maxSeq(db)) {
      log.warn({ orderId: order.orderId, seq: order.seq }, 'an order with an old number was ignored');
      return undefined;
    }
    return order;
  }

  function plan(order: OrderPayload): Plan | Refusal {
    if (client.clock.nowMs() >= order.expiresAtMs) return 'ORDER_EXPIRED';
    const { action } = order;
    if (!isOrderAction(action)) return 'ORDER_ACTION_UNKNOWN';
    const fit = paramsOf[action]()(order.params);
    if (!fit.ok) return 'ORDER_PARAMS_INVALID';
    const { agent_id: agentId, checks: asked } = fit.value as Static<(typeof ORDER_PARAMS)['run_check']>;
    const agent = agentId === undefined ? undefined : agentById(db, agentId);
    if (action === 'remove_agent') {
      // Also one that was removed on site meanwhile: it is as the order wants it.
      return agent === undefined ? 'ORDER_AGENT_UNKNOWN' : { kind: 'remove', agentId: agent.id };
    }
    if (agentId !== undefined && agent?.state !== 'active') return 'ORDER_AGENT_UNKNOWN';
    const agents = agent === undefined ? listAgents(db) : [agent];
    if (action === 'collect_diagnostics') return { kind: 'ask', agents, action, params: {}, boxChecks: [] };
    const checks = asked === undefined ? [...CHECK_NAMES] : asked.filter(isCheckName);
    if (checks.length === 0) return 'ORDER_CHECKS_UNKNOWN';
    const isBoxAsked = agentId === undefined && BOX_CHECKS.some((check) => checks.includes(check));
    return { kind: 'ask', agents, action, params: { checks }, boxChecks: isBoxAsked ? checks : [] };
  }

  /** The order, what it leads to and what is said about it: one commit, so it begins once and never halfway. */
  function take(order: OrderPayload): void {
    const decision = plan(order);
    const nowMs = clock.nowMs();
    const row: relayOrders.RelayOrderRecord = {
      orderId: order.orderId,
      seq: order.seq,
      action: order.action,
      params: order.params,
      requestedBy: order.requestedBy,
      // The relay's time may differ from the box's; what counts is how much is left.
      expiresAtMs: nowMs + Math.max(0, order.expiresAtMs - client.clock.nowMs()),
      state: 'started',
      code: null,
      detail: '',
      boxCheck: null,
      receivedAtMs: nowMs,
      changedAtMs: nowMs,
    };
    const tell = withTransaction(db, () => {
      if (typeof decision === 'string') return refuse(row, decision);
      return decision.kind === 'remove' ? remove(row, decision.agentId) : ask(row, decision);
    });
    log.info({ orderId: order.orderId, action: order.action }, 'order taken');
    signals.emit('change');
    tell();
  }

  /** Each of the three belongs in the transaction that takes the order, and answers what to tell after it. */
  function refuse(order: relayOrders.RelayOrderRecord, code: Refusal): () => void {
    const state = code === 'ORDER_EXPIRED' ? 'expired' : 'refused';
    const row = { ...order, state, code, detail: ORDER_REFUSALS[code] } as const;
    relayOrders.insert(db, row);
    note('order_finished', row, state);
    return () => {};
  }

  function remove(order: relayOrders.RelayOrderRecord, agentId: string): () => void {
    const atMs = order.receivedAtMs;
    note('order_received', order, 'started');
    const isNew = removeAgent(db, { id: agentId, atMs });
    const row = { ...order, state: 'done', detail: isNew ? REMOVED : REMOVED_BEFORE } as const;
    relayOrders.insert(db, row);
    note('order_finished', row, 'done');
    return () => {
      if (!isNew) return;
      signals.emit('agentRemoved', { agentId });
      signals.emit('agentOrder', { agentId });
    };
  }

  function ask(order: relayOrders.RelayOrderRecord, plan: Extract<Plan, { kind: 'ask' }>): () => void {
    const { action, params, boxChecks } = plan;
    const row = { ...order, boxCheck: boxChecks.length > 0 ? 'wanted' : null } as const;
    const { orderId: relayOrderId, requestedBy, expiresAtMs, receivedAtMs: createdAtMs } = row;
    const shared = { action, params, actionRunId: null, relayOrderId, requestedBy, createdAtMs, expiresAtMs };
    relayOrders.insert(db, row);
    for (const { id: agentId } of plan.agents) agentOrders.insert(db, { ...shared, id: newId('ord'), agentId });
    note('order_received', row, 'started');
    return () => {
      for (const { id: agentId } of plan.agents) signals.emit('agentOrder', { agentId });
      if (boxChecks.length > 0) signals.emit('selfCheck', { checks: boxChecks });
    };
  }

  function note(
    kind: 'order_received' | 'order_finished',
    order: relayOrders.RelayOrderRecord,
    state: changes.OrderChange['state'],
  ): void {
    changes.append(db, {
      kind,
      refId: order.orderId,
      body: relayOrders.toChange(order, state),
      atMs: order.changedAtMs,
    });
  }

  return {
    async fetch() {
      const { orders } = await client.sendJson(
        { method: 'GET', path: BOX_PATHS.orders, isTokenAsked: true },
        validator(),
      );
      for (const envelope of orders) {
        const order = readNew(envelope);
        if (order !== undefined) take(order);
      }
    },
  };
}
