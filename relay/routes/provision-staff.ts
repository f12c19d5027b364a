import type { Claims } from '../claim/index.ts';
import { defineHandlers } from './context.ts';

/** Routes of people who bring boxes to sites. */
export function provisionStaffHandlers(claims: Claims) {
  return defineHandlers({
    codes: async ({ tenant, nowMs }) => ({ codes: await claims.codes.list(tenant, nowMs), asOfMs: nowMs }),
    createCode: ({ tenant, body, nowMs }) => claims.codes.create(tenant, body, nowMs),
    revokeCode: async ({ tenant, params, nowMs }) => {
      await claims.codes.revoke(tenant, params.codeId, nowMs);
      return { ok: true };
    },
    printLabels: async ({ tenant, body, nowMs, reply }) => {
      const { fileName, pdf } = await claims.labels.print(tenant, body, nowMs);
      reply.header('content-disposition', `attachment; filename="${fileName}"`);
      return pdf;
    },
    claimSessions: async ({ tenant, nowMs }) => ({ sessions: await claims.staff.list(tenant, nowMs), asOfMs: nowMs }),
    claimSession: ({ tenant, params, nowMs }) => claims.staff.find(tenant, params.session, nowMs),
    lookupClaim: ({ tenant, body, nowMs }) => claims.staff.lookup(tenant, body, nowMs),
    claimBox: ({ tenant, params, body, nowMs }) => claims.staff.claim(tenant, { ...body, ...params }, nowMs),
    approveClaim: ({ tenant, params, body, nowMs }) => claims.staff.approve(tenant, params.session, { ...body, nowMs }),
    rejectClaim: ({ tenant, params, nowMs }) => claims.staff.reject(tenant, params.session, nowMs),
  });
}
