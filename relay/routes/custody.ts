import type { Claims } from '../claim/index.ts';
import {
  announceCustody,
  cancelMove,
  closeRelease,
  custodyOf,
  fetchRelease,
  orderRelease,
  readReceipt,
  removeBox,
  withdrawRelease,
} from '../custody/index.ts';
import { availabilityOf } from '../history/index.ts';
import { quarantineOf } from '../quarantine/index.ts';
import { assertSite } from '../sites/index.ts';
import { defineHandlers, type Services } from './context.ts';

/** Routes of boxes that leave, and of people who let them go or take them back. */
export function custodyHandlers(services: Services, claims: Claims) {
  const { keys, live } = services;
  return defineHandlers({
    boxRelease: async ({ box, inTenant, nowMs }) => {
      const answer = await inTenant((trx) => fetchRelease(trx, keys, { asking: box, nowMs }));
      live.publish(box.partnerId, { kind: 'site', siteId: box.siteId, atMs: nowMs });
      return { ...answer, relayKeys: keys.publishedText };
    },
    boxReleased: async ({ box, body, inTenant, nowMs }) => {
      const wish = { asking: box, released: body.released, nowMs };
      const { receipt, toSiteId } = await inTenant((trx) => closeRelease(trx, keys, wish));
      announceCustody(services, { ...box, atMs: nowMs });
      if (toSiteId !== null) live.publish(box.partnerId, { kind: 'site', siteId: toSiteId, atMs: nowMs });
      return { receipt };
    },
    custody: ({ tenant, params: { siteId }, inTenant, nowMs }) =>
      inTenant(async (trx) => {
        await assertSite(trx, siteId);
        return custodyOf(trx, { partnerId: tenant.partnerId, siteId, nowMs });
      }),
    orderRelease: async ({ tenant, params: { siteId }, body, inTenant, nowMs }) => {
      const view = await inTenant(async (trx) => {
        await assertSite(trx, siteId);
        await orderRelease(trx, keys, { tenant, siteId, ...body, nowMs });
        return custodyOf(trx, { partnerId: tenant.partnerId, siteId, nowMs });
      });
      live.publish(tenant.partnerId, { kind: 'site', siteId, atMs: nowMs });
      return view;
    },
    transferBox: async ({ tenant, params: { siteId }, body, inTenant, nowMs }) => {
      const view = await inTenant(async (trx) => {
        await assertSite(trx, siteId);
        await orderRelease(trx, keys, { tenant, siteId, ...body, nowMs });
        return custodyOf(trx, { partnerId: tenant.partnerId, siteId, nowMs });
      });
      live.publish(tenant.partnerId, { kind: 'site', siteId, atMs: nowMs });
      return view;
    },
    withdrawRelease: async ({ tenant, params: { siteId }, body, inTenant, nowMs }) => {
      const view = await inTenant(async (trx) => {
        await assertSite(trx, siteId);
        await withdrawRelease(trx, { tenant, siteId, releaseId: body.releaseId, nowMs });
        return custodyOf(trx, { partnerId: tenant.partnerId, siteId, nowMs });
      });
      live.publish(tenant.partnerId, { kind: 'site', siteId, atMs: nowMs });
      return view;
    },
    cancelMove: async ({ tenant, params: { siteId }, body, inTenant, nowMs }) => {
      const view = await inTenant(async (trx) => {
        await assertSite(trx, siteId);
        await cancelMove(trx, { tenant, siteId, ...body, nowMs });
        return custodyOf(trx, { partnerId: tenant.partnerId, siteId, nowMs });
      });
      for (const kind of ['site', 'claims'] as const) live.publish(tenant.partnerId, { kind, siteId, atMs: nowMs });
      return view;
    },
    removeBox: async ({ tenant, params: { siteId }, body, inTenant, nowMs }) => {
      const view = await inTenant(async (trx) => {
        await assertSite(trx, siteId);
        await removeBox(trx, keys, { tenant, siteId, ...body, nowMs });
        return custodyOf(trx, { partnerId: tenant.partnerId, siteId, nowMs });
      });
      const { partnerId } = tenant;
      announceCustody(services, { partnerId, siteId, applianceId: body.applianceId, atMs: nowMs });
      return view;
    },
    quarantine: ({ params: { siteId }, inTenant, nowMs }) =>
      inTenant(async (trx) => {
        await assertSite(trx, siteId);
        return quarantineOf(trx, siteId, nowMs);
      }),
    availability: ({ tenant: { partnerId }, params: { siteId }, inTenant, nowMs }) =>
      inTenant(async (trx) => {
        await assertSite(trx, siteId);
        return availabilityOf(trx, { partnerId, siteId, nowMs });
      }),
    receipt: ({ params: { receiptId }, inTenant }) => inTenant((trx) => readReceipt(trx, keys, receiptId)),
    rearms: async ({ tenant, query: { siteId }, nowMs }) => ({
      ...(await claims.rearms.list(tenant, { siteId, nowMs })),
      asOfMs: nowMs,
    }),
    findRearm: async ({ tenant, body: { siteId, number }, nowMs }) => ({
      rearms: await claims.rearms.search(tenant, { siteId, number, nowMs }),
      more: 0,
      asOfMs: nowMs,
    }),
    rearmBox: ({ tenant, params: { session }, body, nowMs }) =>
      claims.rearms.approve(tenant, session, { ...body, nowMs }),
  });
}
