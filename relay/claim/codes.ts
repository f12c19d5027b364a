import { codeUrl } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { renderSVG } from 'uqr';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import { newNonce, secretHash } from '../lib/secrets.ts';
import type { Tx } from '../store/index.ts';
import {
  type CodeListRow,
  type CodeRow,
  findCode,
  insertCode,
  listCodes,
  revokeCode,
} from '../store/repositories/codes.ts';
import { enterSecret } from '../store/repositories/directory.ts';
import { assertReplacement } from './approval.ts';
import { codeStateAt, PRE_APPROVED_TTL_MINUTES, TYPED_TRIES } from './code-machine.ts';
import type { ClaimDeps } from './deps.ts';
import { hashTyped, newLocator, newTypedSecret, typedForm } from './typed-code.ts';

const DEFAULT_TTL_MINUTES = 10;
const MAX_LISTED = 200;
/** 160,000 locators: with thousands of codes alive the first few draws find a free one. */
const MAX_DRAWS = 50;

export interface CodeView {
  id: string;
  siteId: string;
  siteName: string;
  state: ReturnType<typeof codeStateAt>;
  preApproved: boolean;
  createdBy: string;
  createdAtMs: number;
  expiresAtMs: number;
  usedAtMs: number | null;
  disputed: boolean;
  replaces: string | null;
}

function viewOf(row: CodeListRow, nowMs: number): CodeView {
  const code = {
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
    usedByFingerprint: row.used_by_fingerprint,
  };
  return {
    id: row.id,
    siteId: row.site_id,
    siteName: row.site_name,
    state: codeStateAt(code, nowMs),
    preApproved: row.pre_approved === 1,
    createdBy: row.created_by,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    usedAtMs: row.used_at_ms,
    disputed: row.disputed_at_ms !== null,
    replaces: row.replaces,
  };
}

/** Enters the first free locator into the directory. */
async function enterLocator(trx: Tx, owner: { partnerId: string; refId: string }): Promise<string> {
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const locator = newLocator();
    if (await enterSecret(trx, { kind: 'locator', hash: secretHash('locator', locator), ...owner })) return locator;
  }
  throw relayErrors.make('OVERLOADED', { detail: 'No short code is free', data: { retryAfterS: 600 } });
}

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
      const { partnerId, actor, role } = tenant;
      const { siteId, preApproved = false, ttlMinutes = DEFAULT_TTL_MINUTES } = request;
      const replaces = (preApproved ? request.replaces : undefined) ?? null;
      if (preApproved && role !== 'admin') throw relayErrors.make('CODE_NEEDS_ADMIN', { field: '/preApproved' });
      if (preApproved && ttlMinutes > PRE_APPROVED_TTL_MINUTES) {
        throw relayErrors.make('CODE_TTL_TOO_LONG', { field: '/ttlMinutes' });
      }
      const id = newId('pc');
      const secret = newNonce();
      const typedSecret = newTypedSecret();
      const typed = await hashTyped(typedSecret);
      const qrHash = secretHash('code', secret);
      const code = await store.inTenant(partnerId, async (trx) => {
        const site = await trx.selectFrom('site').select('name').where('id', '=', siteId).executeTakeFirst();
        if (site === undefined)
          throw relayErrors.make('NOT_FOUND', { field: '/siteId', detail: 'There is no such site' });
        if (preApproved) await assertReplacement(trx, { siteId, fingerprint: null, agreed: replaces });
        const owner = { partnerId, refId: id };
        const locator = await enterLocator(trx, owner);
        await enterSecret(trx, { kind: 'code', hash: qrHash, ...owner });
        const row: CodeRow = {
          id,
          partner_id: partnerId,
          site_id: siteId,
          qr_hash: qrHash,
          locator,
          typed_salt: typed.salt,
          typed_hash: typed.hash,
          tries_left: TYPED_TRIES,
          pre_approved: preApproved ? 1 : 0,
          created_by: actor,
          created_at_ms: nowMs,
          expires_at_ms: nowMs + ttlMinutes * 60_000,
          revoked_at_ms: null,
          used_at_ms: null,
          used_by_fingerprint: null,
          disputed_at_ms: null,
          replaces,
        };
        await insertCode(trx, row);
        await appendAudit(trx, {
          partnerId,
          atMs: nowMs,
          actor,
          action: 'code.created',
          ref: id,
          detail: { siteId, preApproved, ttlMinutes, replaces, staffId: tenant.staffId },
        });
        return { ...row, site_name: site.name };
      });
      live.publish(partnerId, { kind: 'claims', siteId, atMs: nowMs });
      const url = codeUrl(publicUrl(), secret);
      return {
        code: viewOf(code, nowMs),
        url,
        typed: typedForm(code.locator, typedSecret),
        qrSvg: renderSVG(url, { border: 4, ecc: 'M' }),
      };
    },

    async list(tenant: Tenant, nowMs: number): Promise<CodeView[]> {
      const rows = await store.inTenant(tenant.partnerId, (trx) => listCodes(trx, tenant.partnerId, MAX_LISTED));
      return rows.map((row) => viewOf(row, nowMs));
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
