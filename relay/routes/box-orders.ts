import { deliverOrders } from '../orders/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function boxOrderHandlers({ live }: Services) {
  return defineHandlers({
    boxOrders: async ({ box, inTenant, nowMs }) => {
      const answer = await inTenant((trx) => deliverOrders(trx, { applianceId: box.applianceId, nowMs }));
      if (answer.orders.length > 0) live.publish(box.partnerId, { kind: 'orders', siteId: box.siteId, atMs: nowMs });
      return answer;
    },
  });
}
