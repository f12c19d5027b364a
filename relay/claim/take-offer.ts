import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import {
  type BoxFacts,
  type ClaimRow,
  findClaim,
  insertClaim,
  type OfferRow,
  takeOffer,
} from '../store/repositories/claims.ts';
import { hasSite } from '../store/repositories/sites.ts';
import { APPROVAL_TTL_MS } from './machine.ts';

/** Throws SESSION_UNKNOWN. */
export async function mustFindClaim(trx: Tx, session: string): Promise<ClaimRow> {
  const claim = await findClaim(trx, session);
  if (claim === undefined) throw relayErrors.make('SESSION_UNKNOWN');
  return claim;
}

/** A person, or with `staffId` null what a person ordered before. */
export type Claimer = Pick<Tenant, 'partnerId' | 'actor' | 'role'> & { readonly staffId: string | null };

/** First come, first served, by the conditional update; who loses sees how the claim stands now. */
export async function takeOfferFor(
  trx: Tx,
  offer: OfferRow & { number: string },
  { tenant, siteId, nowMs }: { tenant: Claimer; siteId: string; nowMs: number },
): Promise<ClaimRow> {
  const { partnerId, actor } = tenant;
  if (!(await hasSite(trx, siteId))) {
    throw relayErrors.make('NOT_FOUND', { field: '/siteId', detail: 'There is no such site' });
  }
  if (!(await takeOffer(trx, { id: offer.id, partnerId, nowMs }))) throw relayErrors.make('CLAIM_NOT_WAITING');
  const facts = JSON.parse(offer.facts) as BoxFacts;
  await insertClaim(trx, {
    id: offer.id,
    partnerId,
    siteId,
    codeId: null,
    fingerprint: offer.fingerprint,
    facts,
    relayNonce: offer.relay_nonce,
    number: offer.number,
    startedAtMs: offer.started_at_ms,
    expiresAtMs: nowMs + APPROVAL_TTL_MS,
    claimedBy: actor,
    nowMs,
  });
  const { fingerprint } = offer;
  await appendAudit(trx, {
    partnerId,
    atMs: nowMs,
    actor,
    action: 'claim.taken',
    ref: offer.id,
    detail: { siteId, serial: facts.serial, fingerprint, role: tenant.role, staffId: tenant.staffId },
  });
  return mustFindClaim(trx, offer.id);
}
