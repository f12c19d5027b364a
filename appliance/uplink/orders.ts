import { CHECK_NAMES, isCheckName } from '@sitewarden/agent-proto/checks';
import { BOX_PATHS, compile, type OrderPayload, OrdersResponse } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { withTransaction } from '@sitewarden/kit/sqlite';
import { BOX_CHECKS } from '../lib/box-checks.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { lazily } from '../lib/lazily.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { readOrder, TrustError } from '../lib/trust.ts';
import { type AgentRecord, byId as agentById, list as listAgents } from '../store/agents.ts';
import { agentOrders, changes, relayOrders, state } from '../store/index.ts';

/** Why an order is not run although it is genuine. */
export const ORDER_REFUSALS = {
  ORDER_EXPIRED: 'The order reached the box after its time. Give it again.',
  ORDER_AGENT_UNKNOWN: 'This site has no active agent of that id. Look at the list of agents.',
  ORDER_CHECKS_UNKNOWN: 'None of the named checks is known to this version. Update the appliance.',
} as const;
type Refusal = keyof typeof ORDER_REFUSALS;

export interface OrderTaker {
  /** Fetches what the relay has and begins what is new, each order once. Rejects with RelayFailure. */
  fetch(): Promise<void>;
}

interface Plan {
  readonly agents: readonly AgentRecord[];
  readonly checks: readonly string[];
  readonly isBoxAsked: boolean;
}

export function createOrderTaker(ctx: ApplianceContext, client: RelayClient): OrderTaker {
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

  function plan(order: OrderPayload): Plan | Refusal {
    if (client.clock.nowMs() >= order.expiresAtMs) return 'ORDER_EXPIRED';
    const { agent_id: agentId, checks: asked } = order.params;
    const checks = Array.isArray(asked) ? asked.filter(isCheckName) : [...CHECK_NAMES];
    if (checks.length === 0) return 'ORDER_CHECKS_UNKNOWN';
    if (agentId === undefined) {
      return { agents: listAgents(db), checks, isBoxAsked: BOX_CHECKS.some((check) => checks.includes(check)) };
    }
    const agent = agentById(db, String(agentId));
    return agent?.state === 'active' ? { agents: [agent], checks, isBoxAsked: false } : 'ORDER_AGENT_UNKNOWN';
  }

  /** The order, what it leads to and what is said about it: one commit, so it begins once and never halfway. */
  function take(order: OrderPayload): void {
    const decision = plan(order);
    const nowMs = clock.nowMs();
    // The relay's time may differ from the box's; what counts is how much is left.
    const expiresAtMs = nowMs + Math.max(0, order.expiresAtMs - client.clock.nowMs());
    const isRefused = typeof decision === 'string';
    const isExpired = decision === 'ORDER_EXPIRED';
    const targets = isRefused ? [] : decision.agents;
    const row: relayOrders.RelayOrderRecord = {
      orderId: order.orderId,
      seq: order.seq,
      action: order.action,
      params: order.params,
      requestedBy: order.requestedBy,
      expiresAtMs,
      state: isExpired ? 'expired' : isRefused ? 'refused' : 'started',
      code: isRefused ? decision : null,
      detail: isRefused ? ORDER_REFUSALS[decision] : '',
      boxCheck: !isRefused && decision.isBoxAsked ? 'wanted' : null,
      receivedAtMs: nowMs,
      changedAtMs: nowMs,
    };
    withTransaction(db, () => {
      relayOrders.insert(db, row);
      for (const { id: agentId } of targets) {
        agentOrders.insert(db, {
          id: newId('ord'),
          agentId,
          action: 'run_check',
          params: { checks: [...(decision as Plan).checks] },
          actionRunId: null,
          relayOrderId: order.orderId,
          requestedBy: order.requestedBy,
          createdAtMs: nowMs,
          expiresAtMs,
        });
      }
      const kind = isRefused ? 'order_finished' : 'order_received';
      const reached = isExpired ? 'expired' : isRefused ? 'refused' : 'started';
      changes.append(db, { kind, refId: order.orderId, body: relayOrders.toChange(row, reached), atMs: nowMs });
    });
    log.info({ orderId: order.orderId, action: order.action, state: row.state }, 'order taken');
    signals.emit('change');
    for (const { id: agentId } of targets) signals.emit('agentOrder', { agentId });
    if (!isRefused && decision.isBoxAsked) {
      signals.emit('selfCheck', { checks: decision.checks });
    }
  }

  return {
    async fetch() {
      const { orders } = await client.sendJson({ method: 'GET', path: BOX_PATHS.orders }, validator());
      for (const envelope of orders) {
        const order = readNew(envelope);
        if (order !== undefined) take(order);
      }
    },
  };
}
