import { isMendingAction, MAX_WINDOW_AHEAD_MS, windowFault, windowOf } from '@sitewarden/agent-proto/actions';
import type { OrderPayload } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { RelayKeyring } from '../keys/index.ts';
import type { Tenant } from '../lib/identity.ts';
import { newNonce } from '../lib/secrets.ts';
import type { Tx } from '../store/index.ts';
import { agentTierOnBox } from '../store/repositories/agents.ts';
import { insertOrder, type StoredOrder, takeOrderSeq } from '../store/repositories/orders.ts';
import { hasSite } from '../store/repositories/sites.ts';
import { assertTier } from './tier.ts';
import { assertUndoable } from './undo.ts';
import { type OrderWish, paramsOfWish, windowOfOrder } from './wish.ts';

/** An order that has not reached its box by then is not run any more: what staff wanted is old news. */
export const ORDER_TTL_MS = 3_600_000;

/**
 * Makes and signs an order for the active box of a site. Throws APPLIANCE_NONE, NOT_FOUND for an agent of another site,
 * BODY_INVALID for what the action does not take, ORDER_WINDOW_UNFIT, the ORDER_TIER_ codes and the UNDO_ codes.
 */
export async function createOrder(
  trx: Tx,
  keys: Pick<RelayKeyring, 'sign'>,
  input: { tenant: Tenant; siteId: string; wish: OrderWish; nowMs: number },
): Promise<StoredOrder> {
  const { tenant, siteId, wish, nowMs } = input;
  const { partnerId, actor } = tenant;
  const params = paramsOfWish(wish);
  assertWindow(params, nowMs);
  if (!(await hasSite(trx, siteId))) throw relayErrors.make('NOT_FOUND');
  const place = await takeOrderSeq(trx, siteId);
  if (place === undefined) throw relayErrors.make('APPLIANCE_NONE');
  const { agentId } = wish;
  let undoes: string | null = null;
  if (agentId !== undefined) {
    const boxTier = await agentTierOnBox(trx, siteId, agentId);
    if (boxTier === undefined) {
      throw relayErrors.make('NOT_FOUND', { field: '/agentId', detail: 'This site has no such agent' });
    }
    const undone =
      wish.action === 'undo'
        ? await assertUndoable(trx, { siteId, agentId, orderId: String(params.order_id), nowMs })
        : undefined;
    undoes = undone?.id ?? null;
    if (isMendingAction(wish.action)) {
      await assertTier(trx, { siteId, agentId, boxTier, action: wish.action, undone: undone?.action });
    }
  }
  const payload: OrderPayload = {
    orderId: newId('ord'),
    applianceId: place.applianceId,
    epoch: place.epoch,
    seq: place.seq,
    issuedAtMs: nowMs,
    expiresAtMs: windowOfOrder(params)?.endMs ?? nowMs + ORDER_TTL_MS,
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
    before: null,
    after: null,
    undoes,
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
    detail: { siteId, action: order.action, agentId: agentId ?? null, seq: order.seq, ...auditParams(params) },
  });
  return order;
}

/** A window may lie a week ahead: the order lives until its end, and the box keeps it until its beginning. */
function assertWindow(params: OrderPayload['params'], nowMs: number): void {
  const window = windowOf(params);
  const fault = window && windowFault(window, { nowMs, latestEndMs: nowMs + MAX_WINDOW_AHEAD_MS });
  if (fault === undefined) return;
  throw relayErrors.make('ORDER_WINDOW_UNFIT', { field: `/params/${fault.field}`, detail: fault.detail });
}

/** Parameters as an audit entry has them: a list is a text there. */
const auditParams = ({ agent_id: _agent, ...params }: OrderPayload['params']) =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : value]),
  );
