import { removeSecret, secretsOf, setSecret } from '../secrets/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function secretHandlers({ live, wakes }: Services) {
  return defineHandlers({
    secrets: ({ params: { siteId }, inTenant, nowMs }) => inTenant((trx) => secretsOf(trx, siteId, nowMs)),
    setSecret: async ({ tenant, params: { siteId, name }, body: { value }, inTenant, nowMs }) => {
      const view = await inTenant(async (trx) => {
        await setSecret(trx, { tenant, siteId, name, value, nowMs });
        return secretsOf(trx, siteId, nowMs);
      });
      wakes.wake(siteId, 'config');
      live.publish(tenant.partnerId, { kind: 'site', siteId, atMs: nowMs });
      return view;
    },
    removeSecret: async ({ tenant, params: { siteId, name }, inTenant, nowMs }) => {
      const view = await inTenant(async (trx) => {
        await removeSecret(trx, { tenant, siteId, name, nowMs });
        return secretsOf(trx, siteId, nowMs);
      });
      wakes.wake(siteId, 'config');
      live.publish(tenant.partnerId, { kind: 'site', siteId, atMs: nowMs });
      return view;
    },
  });
}
