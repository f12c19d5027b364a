import type { CheckinRequest, OrderState } from '@sitewarden/agent-proto/http';
import { type Selectable, sql } from 'kysely';
import type { RelayDatabase } from '../schema.ts';
import type { Tx } from '../types.ts';

export interface StoredOrder {
  id: string;
  siteId: string;
  applianceId: string;
  epoch: number;
  seq: number;
  action: string;
  params: string;
  state: OrderState;
  code: string | null;
  detail: string;
  /** JSON; what the workstation was like before. */
  before: string | null;
  /** JSON; what the agent answered. */
  after: string | null;
  /** The order this one puts back. */
  undoes: string | null;
  requestedBy: string;
  envelope: string;
  createdAtMs: number;
  changedAtMs: number;
  expiresAtMs: number;
}

/**
 * The next order number of a box in service, or undefined when the site has none. Never given twice: a relay that was set
 * back to a backup goes on after the newest order the box says it took.
 */
export async function takeOrderSeq(
  trx: Tx,
  siteId: string,
): Promise<{ applianceId: string; epoch: number; seq: number } | undefined> {
  const taken = await newestTaken(trx, siteId);
  const row = await trx
    .updateTable('appliance')
    .set((eb) => ({
      order_seq: eb
        .case()
        .when('order_seq', '<', taken)
        .then(taken + 1)
        .else(eb('order_seq', '+', 1))
        .end(),
    }))
    .where('site_id', '=', siteId)
    .where('state', '=', 'active')
    .returning(['id', 'epoch', 'order_seq'])
    .executeTakeFirst();
  return row && { applianceId: row.id, epoch: row.epoch, seq: row.order_seq };
}

/** No box takes so many: a number beyond would leave none for later orders. */
const MOST_ORDERS = 2 ** 40;

/** As the box in service said at its last check-in; 0 before the first. */
async function newestTaken(trx: Tx, siteId: string): Promise<number> {
  const live = await trx
    .selectFrom('appliance_live')
    .innerJoin('appliance', 'appliance.id', 'appliance_live.appliance_id')
    .select('appliance_live.body')
    .where('appliance.site_id', '=', siteId)
    .where('appliance.state', '=', 'active')
    .executeTakeFirst();
  const { orderSeq = 0 } = live === undefined ? {} : (JSON.parse(live.body) as Partial<CheckinRequest>);
  return orderSeq < MOST_ORDERS ? orderSeq : 0;
}

export async function insertOrder(trx: Tx, partnerId: string, order: StoredOrder): Promise<void> {
  await trx
    .insertInto('site_order')
    .values({
      id: order.id,
      partner_id: partnerId,
      site_id: order.siteId,
      appliance_id: order.applianceId,
      epoch: order.epoch,
      seq: order.seq,
      action: order.action,
      params: order.params,
      state: order.state,
      code: order.code,
      detail: order.detail,
      before_facts: order.before,
      after_facts: order.after,
      undoes: order.undoes,
      requested_by: order.requestedBy,
      envelope: order.envelope,
      created_at_ms: order.createdAtMs,
      changed_at_ms: order.changedAtMs,
      expires_at_ms: order.expiresAtMs,
    })
    .execute();
}

export async function listOrders(trx: Tx, siteId: string, limit: number): Promise<StoredOrder[]> {
  const rows = await trx
    .selectFrom('site_order')
    .selectAll()
    .where('site_id', '=', siteId)
    .orderBy('created_at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toOrder);
}

export async function readOrder(
  trx: Tx,
  { siteId, orderId }: { siteId: string; orderId: string },
): Promise<StoredOrder | undefined> {
  const row = await trx
    .selectFrom('site_order')
    .selectAll()
    .where('site_id', '=', siteId)
    .where('id', '=', orderId)
    .executeTakeFirst();
  return row && toOrder(row);
}

/** Every order that names one of these to put it back, oldest first. */
export async function listUndos(
  trx: Tx,
  { siteId, orderIds }: { siteId: string; orderIds: readonly string[] },
): Promise<StoredOrder[]> {
  if (orderIds.length === 0) return [];
  const rows = await trx
    .selectFrom('site_order')
    .selectAll()
    .where('site_id', '=', siteId)
    .where('undoes', 'in', [...orderIds])
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();
  return rows.map(toOrder);
}

const toOrder = (row: Selectable<RelayDatabase['site_order']>): StoredOrder => ({
  id: row.id,
  siteId: row.site_id,
  applianceId: row.appliance_id,
  epoch: row.epoch,
  seq: row.seq,
  action: row.action,
  params: row.params,
  state: row.state as OrderState,
  code: row.code,
  detail: row.detail,
  before: row.before_facts,
  after: row.after_facts,
  undoes: row.undoes,
  requestedBy: row.requested_by,
  envelope: row.envelope,
  createdAtMs: row.created_at_ms,
  changedAtMs: row.changed_at_ms,
  expiresAtMs: row.expires_at_ms,
});

/**
 * Envelopes of the orders a box still has to be told of, oldest first. They are delivered from here on. What it has begun
 * comes after what it has not: orders that wait a week for their window must not keep a new one from it.
 */
export async function takeWaiting(
  trx: Tx,
  input: { applianceId: string; epoch: number; states: readonly OrderState[]; nowMs: number; limit: number },
): Promise<string[]> {
  const rows = await trx
    .selectFrom('site_order')
    .select(['id', 'seq', 'state', 'envelope'])
    .where('appliance_id', '=', input.applianceId)
    .where('epoch', '=', input.epoch)
    .where('state', 'in', [...input.states])
    .where('expires_at_ms', '>', input.nowMs)
    .orderBy(sql`CASE WHEN state = 'started' THEN 1 ELSE 0 END`)
    .orderBy('seq')
    .limit(input.limit)
    .execute();
  const fresh = rows.filter((row) => row.state === 'queued').map((row) => row.id);
  if (fresh.length > 0) {
    await trx
      .updateTable('site_order')
      .set({ state: 'delivered', changed_at_ms: input.nowMs })
      .where('id', 'in', fresh)
      .where('state', '=', 'queued')
      .execute();
  }
  return rows.sort((a, b) => a.seq - b.seq).map((row) => row.envelope);
}

/** The order a receipt names, locked until the transaction ends. */
export async function lockOrder(
  trx: Tx,
  { orderId, applianceId }: { orderId: string; applianceId: string },
): Promise<Pick<StoredOrder, 'siteId' | 'state' | 'epoch' | 'seq' | 'action' | 'undoes'> | undefined> {
  const row = await trx
    .updateTable('site_order')
    .set({ state: sql.ref('state') })
    .where('id', '=', orderId)
    .where('appliance_id', '=', applianceId)
    .returning(['site_id as siteId', 'state', 'epoch', 'seq', 'action', 'undoes'])
    .executeTakeFirst();
  return row && { ...row, state: row.state as OrderState };
}

export async function saveOrderState(
  trx: Tx,
  change: {
    orderId: string;
    state: OrderState;
    code: string | null;
    detail: string;
    before: string | null;
    after: string | null;
    atMs: number;
  },
): Promise<void> {
  await trx
    .updateTable('site_order')
    .set({
      state: change.state,
      code: change.code,
      detail: change.detail,
      before_facts: change.before,
      after_facts: change.after,
      changed_at_ms: change.atMs,
    })
    .where('id', '=', change.orderId)
    .execute();
}
