import { changeSite, createSite, listSites, readSiteDetail, releaseQuarantine } from '../sites/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function siteHandlers({ live, boxes, wakes }: Services) {
  return defineHandlers({
    sites: ({ tenant, query, inTenant, nowMs }) => {
      const givenTo = tenant.role === 'technician' ? tenant.staffId : undefined;
      return inTenant((trx) => listSites(trx, { ...query, givenTo, nowMs }));
    },
    createSite: async ({ tenant, body, inTenant, nowMs }) => {
      const site = await inTenant((trx) => createSite(trx, { tenant, wish: body, nowMs }));
      live.publish(tenant.partnerId, { kind: 'site', siteId: site.id, atMs: nowMs });
      return site;
    },
    site: ({ params, inTenant, nowMs }) => inTenant((trx) => readSiteDetail(trx, params.siteId, nowMs)),
    changeSite: async ({ tenant, params: { siteId }, body, inTenant, nowMs }) => {
      const detail = await inTenant(async (trx) => {
        await changeSite(trx, { tenant, siteId, settings: body, nowMs });
        return readSiteDetail(trx, siteId, nowMs);
      });
      wakes.wake(siteId, 'config');
      live.publish(tenant.partnerId, { kind: 'site', siteId, atMs: nowMs });
      return detail;
    },
    releaseQuarantine: async ({ tenant, params: { siteId }, body, inTenant, nowMs }) => {
      const detail = await inTenant(async (trx) => {
        await releaseQuarantine(trx, { tenant, siteId, ...body, nowMs });
        return readSiteDetail(trx, siteId, nowMs);
      });
      boxes.forget(body.applianceId);
      live.publish(tenant.partnerId, { kind: 'site', siteId, atMs: nowMs });
      return detail;
    },
  });
}
