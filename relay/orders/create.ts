import { CHECK_NAMES } from '@sitewarden/agent-proto/checks';
import type { OrderAction, OrderPayload } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { RelayKeyring } from '../keys/index.ts';
import type { Tenant } from '../lib/identity.ts';
import { newNonce } from '../lib/secrets.ts';
import type { Tx } from '../store/index.ts';
import { hasAgent } from '../store/repositories/agents.ts';
import { insertOrder, type StoredOrder, takeOrderSeq } from '../store/repositories/orders.ts';
import { hasSite } from '../store/repositories/sites.ts';

/** An order that has not reached its box by then is not run any more: what staff wanted is old news. */
export const ORDER_TTL_MS = 3_600_000;

export interface OrderWish {
  action: OrderAction;
  agentId?: string;
  checks?: readonly string[];
}

/**
 * Makes and signs an order for the active box of a site. Throws APPLIANCE_NONE, NOT_FOUND for an agent of another site,
 * BODY_INVALID for a check that does not exist and for what the action does not take.
 */
export async function createOrder(
  trx: Tx,
  keys: Pick<RelayKeyring, 'sign'>,
  input: { tenant: Tenant; siteId: string; wish: OrderWish; nowMs: number },
): Promise<StoredOrder> {
  const { tenant, siteId, wish, nowMs } = input;
  const { partnerId, actor } = tenant;
  assertFits(wish);
  const unknown = wish.checks?.findIndex((name) => !(CHECK_NAMES as readonly string[]).includes(name)) ?? -1;
  if (unknown >= 0) {
    throw relayErrors.make('BODY_INVALID', {
      field: `/checks/${unknown}`,
      detail: `There is no check ${wish.checks?.[unknown]}; known are ${CHECK_NAMES.join(', ')}`,
    });
  }
  if (!(await hasSite(trx, siteId))) throw relayErrors.make('NOT_FOUND');
  const place = await takeOrderSeq(trx, siteId);
  if (place === undefined) throw relayErrors.make('APPLIANCE_NONE');
  if (wish.agentId !== undefined && !(await hasAgent(trx, siteId, wish.agentId))) {
    throw relayErrors.make('NOT_FOUND', { field: '/agentId', detail: 'This site has no such agent' });
  }
  const params: OrderPayload['params'] = {
    ...(wish.agentId === undefined ? {} : { agent_id: wish.agentId }),
    ...(wish.checks === undefined ? {} : { checks: [...wish.checks] }),
  };
  const payload: OrderPayload = {
    orderId: newId('ord'),
    applianceId: place.applianceId,
    epoch: place.epoch,
    seq: place.seq,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + ORDER_TTL_MS,
    nonce: newNonce(),
    action: wish.action,
    params,
    requestedBy: actor,
    approvedBy: null,
  };
  const order: StoredOrder = {
    id: payload.orderId,
    siteId,
    ...place,
    action: payload.action,
    params: JSON.stringify(params),
    state: 'queued',
    code: null,
    detail: '',
    after: null,
    requestedBy: actor,
    envelope: keys.sign('order', payload),
    createdAtMs: nowMs,
    changedAtMs: nowMs,
    expiresAtMs: payload.expiresAtMs,
  };
  await insertOrder(trx, partnerId, order);
  await appendAudit(trx, {
    partnerId,
    atMs: nowMs,
    actor,
    action: 'order.created',
    ref: order.id,
    detail: { siteId, action: order.action, agentId: wish.agentId ?? null, seq: order.seq },
  });
  return order;
}

/** Which of ORDER_PARAMS a wish leaves out or has too many, in the words of the body it came in. */
function assertFits({ action, agentId, checks }: OrderWish): void {
  if (action === 'run_check') return;
  if (agentId === undefined) {
    throw relayErrors.make('BODY_INVALID', { field: '/agentId', detail: `${action} is for one agent: name it` });
  }
  if (checks !== undefined) {
    throw relayErrors.make('BODY_INVALID', { field: '/checks', detail: `${action} takes no checks` });
  }
}
