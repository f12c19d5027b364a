import { codeUrl } from '@sitewarden/agent-proto/http';
import { renderSVG } from 'uqr';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import { secretHash } from '../lib/secrets.ts';
import { findCode, listCodes, revokeCode, scanCode } from '../store/repositories/codes.ts';
import { findSecret } from '../store/repositories/directory.ts';
import { assertReplacement } from './approval.ts';
import { type CodeView, codeView, NO_CLAIM } from './code-view.ts';
import type { ClaimDeps } from './deps.ts';
import { assertMayMake, DEFAULT_TTL_MINUTES, draftCode, writeCode } from './make-code.ts';

/** Five full sheets. */
const MAX_LISTED = 500;

/** Codes that partners make for boxes to come. */
export function createCodes({ store, live, publicUrl }: ClaimDeps) {
  return {
    /**
     * `replaces`: the appliance of the site that a box with a pre-approved code may take out of service; others are
     * approved by a person who sees it. Throws CODE_NEEDS_ADMIN, CODE_TTL_TOO_LONG, NOT_FOUND,
     * REPLACEMENT_NOT_CONFIRMED. The secrets are in the answer and nowhere else.
     */
    async create(
      tenant: Tenant,
      request: { siteId: string; preApproved?: boolean; ttlMinutes?: number; replaces?: string },
      nowMs: number,
    ) {
      const { siteId, preApproved = false, ttlMinutes = DEFAULT_TTL_MINUTES } = request;
      const replaces = (preApproved ? request.replaces : undefined) ?? null;
      const terms = { preApproved, ttlMinutes, replaces };
      assertMayMake(tenant, terms);
      const draft = await draftCode();
      const { row, typed } = await store.inTenant(tenant.partnerId, async (trx) => {
        const site = await trx.selectFrom('site').select('name').where('id', '=', siteId).executeTakeFirst();
        if (site === undefined)
          throw relayErrors.make('NOT_FOUND', { field: '/siteId', detail: 'There is no such site' });
        if (preApproved) await assertReplacement(trx, { siteId, fingerprint: null, agreed: replaces });
        const written = await writeCode(trx, draft, { tenant, siteId, terms, nowMs });
        return { ...written, row: { ...written.row, ...NO_CLAIM, site_name: site.name } };
      });
      live.publish(tenant.partnerId, { kind: 'claims', siteId, atMs: nowMs });
      const url = codeUrl(publicUrl(), draft.secret);
      return { code: codeView(row, nowMs), url, typed, qrSvg: renderSVG(url, { border: 4, ecc: 'M' }) };
    },

    async list(tenant: Tenant, nowMs: number): Promise<CodeView[]> {
      const rows = await store.inTenant(tenant.partnerId, (trx) => listCodes(trx, tenant.partnerId, MAX_LISTED));
      return rows.map((row) => codeView(row, nowMs));
    },

    /** Somebody opened the page of a code on a phone. The caller is told nothing, whatever the code is. */
    async opened(secret: string, nowMs: number): Promise<void> {
      const owner = await store.system((trx) => findSecret(trx, 'code', secretHash('code', secret)));
      if (owner === undefined) return;
      const { partnerId, refId } = owner;
      const siteId = await store.inTenant(partnerId, (trx) => scanCode(trx, refId, nowMs));
      if (siteId !== undefined) live.publish(partnerId, { kind: 'claims', siteId, atMs: nowMs });
    },

    /** Revoked twice is revoked. Throws NOT_FOUND, CONFLICT when a box has used it. */
    async revoke(tenant: Tenant, id: string, nowMs: number): Promise<void> {
      const { partnerId, actor } = tenant;
      const siteId = await store.inTenant(partnerId, async (trx) => {
        const isRevoked = await revokeCode(trx, id, nowMs);
        const code = await findCode(trx, id);
        if (code === undefined) throw relayErrors.make('NOT_FOUND');
        if (code.used_at_ms !== null) {
          throw relayErrors.make('CONFLICT', { detail: 'A box has used this code already; reject its claim instead' });
        }
        const detail = { siteId: code.site_id, staffId: tenant.staffId };
        if (isRevoked)
          await appendAudit(trx, { partnerId, atMs: nowMs, actor, action: 'code.revoked', ref: id, detail });
        return code.site_id;
      });
      live.publish(partnerId, { kind: 'claims', siteId, atMs: nowMs });
    },
  };
}
