import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import { newNonce, secretHash } from '../lib/secrets.ts';
import type { Tx } from '../store/index.ts';
import { type CodeRow, insertCode } from '../store/repositories/codes.ts';
import { enterSecret } from '../store/repositories/directory.ts';
import { PRE_APPROVED_TTL_MINUTES, TYPED_TRIES } from './code-machine.ts';
import { hashTyped, newLocator, newTypedSecret, type TypedHash, typedForm } from './typed-code.ts';

export const DEFAULT_TTL_MINUTES = 10;
/** 160,000 locators: with thousands of codes alive the first few draws find a free one. */
const MAX_DRAWS = 50;

/** The secrets of a code that is not in the store yet. */
export interface CodeDraft {
  readonly id: string;
  readonly secret: string;
  readonly typedSecret: string;
  readonly typed: TypedHash;
}

export interface CodeTerms {
  readonly preApproved: boolean;
  readonly ttlMinutes: number;
  readonly replaces: string | null;
}

/** Throws CODE_NEEDS_ADMIN, CODE_TTL_TOO_LONG. */
export function assertMayMake({ role }: Tenant, { preApproved, ttlMinutes }: CodeTerms): void {
  if (!preApproved) return;
  if (role !== 'admin') throw relayErrors.make('CODE_NEEDS_ADMIN', { field: '/preApproved' });
  if (ttlMinutes > PRE_APPROVED_TTL_MINUTES) throw relayErrors.make('CODE_TTL_TOO_LONG', { field: '/ttlMinutes' });
}

/** Costs about 30 ms of one core, so it belongs before the transaction. */
export async function draftCode(): Promise<CodeDraft> {
  const typedSecret = newTypedSecret();
  return { id: newId('pc'), secret: newNonce(), typedSecret, typed: await hashTyped(typedSecret) };
}

/** Enters the first free locator into the directory. */
async function enterLocator(trx: Tx, owner: { partnerId: string; refId: string }): Promise<string> {
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const locator = newLocator();
    if (await enterSecret(trx, { kind: 'locator', hash: secretHash('locator', locator), ...owner })) return locator;
  }
  throw relayErrors.make('OVERLOADED', { detail: 'No short code is free', data: { retryAfterS: 600 } });
}

/** Writes the code of a draft for a site that exists, in the caller's transaction. Answers with its typed form too. */
export async function writeCode(
  trx: Tx,
  draft: CodeDraft,
  { tenant, siteId, terms, nowMs }: { tenant: Tenant; siteId: string; terms: CodeTerms; nowMs: number },
): Promise<{ row: CodeRow; typed: string }> {
  const { partnerId, actor, staffId } = tenant;
  const { id, secret, typedSecret, typed } = draft;
  const { preApproved, ttlMinutes, replaces } = terms;
  const owner = { partnerId, refId: id };
  const locator = await enterLocator(trx, owner);
  const qrHash = secretHash('code', secret);
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
    scanned_at_ms: null,
  };
  await insertCode(trx, row);
  await appendAudit(trx, {
    partnerId,
    atMs: nowMs,
    actor,
    action: 'code.created',
    ref: id,
    detail: { siteId, preApproved, ttlMinutes, replaces, staffId },
  });
  return { row, typed: typedForm(locator, typedSecret) };
}
