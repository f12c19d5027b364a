import { createOrder, viewOrder } from '../orders/index.ts';
import { listSiteOrders } from '../sites/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function orderHandlers({ keys, live, wakes }: Services) {
  return defineHandlers({
    orders: ({ params, inTenant, nowMs }) => inTenant((trx) => listSiteOrders(trx, params.siteId, nowMs)),
    createOrder: async ({ tenant, params: { siteId }, body, inTenant, nowMs }) => {
      const order = await inTenant((trx) => createOrder(trx, keys, { tenant, siteId, wish: body, nowMs }));
      wakes.wake(siteId, 'orders');
      live.publish(tenant.partnerId, { kind: 'orders', siteId, atMs: nowMs });
      return viewOrder(order, nowMs);
    },
  });
}
