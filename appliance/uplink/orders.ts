import { BOX_PATHS, compile, type OrderPayload, OrdersResponse } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { withTransaction } from '@sitewarden/kit/sqlite';
import type { InstallerSet, Installers } from '../installers/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { lazily } from '../lib/lazily.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { readOrder, TrustError } from '../lib/trust.ts';
import { agentOrders, changes, relayOrders, removeAgent, state } from '../store/index.ts';
import { ORDER_REFUSALS, type OrderPlan, planOrder, type Refusal, targetOf } from './plan-order.ts';

const REMOVED = 'The box no longer lets this agent in; the agent stops at its next contact';
const REMOVED_BEFORE = 'The agent was removed before';
const WAITS = 'The box keeps the order until its maintenance window begins';

export interface OrderTaker {
  /** Fetches what the relay has and begins what is new, each order once. Rejects with RelayFailure. */
  fetch(): Promise<void>;
}

export function createOrderTaker(
  ctx: ApplianceContext,
  client: RelayClient,
  installers: Pick<Installers, 'read'>,
): OrderTaker {
  const { db, clock, log, signals } = ctx;
  const validator = lazily(() => compile(OrdersResponse));

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

  async function readInstallers(): Promise<InstallerSet | undefined> {
    try {
      return await installers.read();
    } catch (error) {
      log.warn({ err: error }, 'the installers cannot be handed out');
      return undefined;
    }
  }

  /** The order, what it leads to and what is said about it: one commit, so it begins once and never halfway. */
  function take(order: OrderPayload, installerSet?: InstallerSet): void {
    const nowMs = clock.nowMs();
    const relayNowMs = client.clock.nowMs();
    const decision = planOrder(db, order, { relayNowMs, nowMs, installers: installerSet });
    const row: relayOrders.RelayOrderRecord = {
      orderId: order.orderId,
      seq: order.seq,
      action: order.action,
      params: order.params,
      requestedBy: order.requestedBy,
      // The relay's time may differ from the box's; what counts is how much is left.
      expiresAtMs: nowMs + Math.max(0, order.expiresAtMs - relayNowMs),
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

  function ask(order: relayOrders.RelayOrderRecord, plan: Extract<OrderPlan, { kind: 'ask' }>): () => void {
    const { action, params, boxChecks, notBeforeMs } = plan;
    const detail = notBeforeMs === null ? '' : WAITS;
    const row = { ...order, boxCheck: boxChecks.length > 0 ? 'wanted' : null, detail } as const;
    const { orderId: relayOrderId, requestedBy, expiresAtMs, receivedAtMs: createdAtMs } = row;
    const times = { createdAtMs, expiresAtMs, notBeforeMs };
    const shared = { action, params, actionRunId: null, relayOrderId, requestedBy, ...times };
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
      body: relayOrders.toChange(order, state, targetOf(db, order)),
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
        if (order?.action === 'update_agent') {
          const found = await readInstallers();
          // The box may have left its site while the folder was read.
          if (readNew(envelope) !== undefined) take(order, found);
        } else if (order !== undefined) take(order);
      }
    },
  };
}
