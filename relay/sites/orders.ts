import { viewOrders } from '../orders/index.ts';
import type { Tx } from '../store/index.ts';
import { listOrders } from '../store/repositories/orders.ts';
import { assertSite } from './assert-site.ts';

const MAX_ORDERS = 200;

/** Orders of a site and their states, newest first. Throws NOT_FOUND. */
export async function listSiteOrders(trx: Tx, siteId: string, nowMs: number) {
  await assertSite(trx, siteId);
  const orders = await listOrders(trx, siteId, MAX_ORDERS);
  return { orders: await viewOrders(trx, { siteId, orders, nowMs }), asOfMs: nowMs };
}
