import { relayErrors } from '../errors.ts';
import { changeGroup, createGroup, listGroups, removeGroup, setAgentTiers } from '../tiers/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function tierHandlers({ live }: Services) {
  const tell = (partnerId: string, siteId: string, atMs: number) =>
    live.publish(partnerId, { kind: 'agents', siteId, atMs });
  return defineHandlers({
    setAgentTier: async ({ tenant, params: { siteId, agentId }, body: { tier }, inTenant, nowMs }) => {
      const [set] = await inTenant((trx) => setAgentTiers(trx, { tenant, siteId, agentIds: [agentId], tier, nowMs }));
      if (set === undefined) throw relayErrors.make('NOT_FOUND');
      tell(tenant.partnerId, siteId, nowMs);
      return set;
    },
    setAgentTiers: async ({ tenant, params: { siteId }, body, inTenant, nowMs }) => {
      const agents = await inTenant((trx) =>
        setAgentTiers(trx, { tenant, siteId, ...body, field: '/agentIds', nowMs }),
      );
      tell(tenant.partnerId, siteId, nowMs);
      return { agents, asOfMs: nowMs };
    },
    groups: ({ params: { siteId }, inTenant, nowMs }) => inTenant((trx) => listGroups(trx, siteId, nowMs)),
    createGroup: async ({ tenant, params: { siteId }, body, inTenant, nowMs }) => {
      const list = await inTenant(async (trx) => {
        await createGroup(trx, { tenant, siteId, wish: body, nowMs });
        return listGroups(trx, siteId, nowMs);
      });
      tell(tenant.partnerId, siteId, nowMs);
      return list;
    },
    changeGroup: async ({ tenant, params: { siteId, groupId }, body, inTenant, nowMs }) => {
      const list = await inTenant(async (trx) => {
        await changeGroup(trx, { tenant, siteId, groupId, wish: body, nowMs });
        return listGroups(trx, siteId, nowMs);
      });
      tell(tenant.partnerId, siteId, nowMs);
      return list;
    },
    removeGroup: async ({ tenant, params: { siteId, groupId }, inTenant, nowMs }) => {
      await inTenant((trx) => removeGroup(trx, { tenant, siteId, groupId, nowMs }));
      tell(tenant.partnerId, siteId, nowMs);
      return { ok: true };
    },
  });
}
