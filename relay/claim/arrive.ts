import { relayErrors } from '../errors.ts';
import { findArrival } from '../store/repositories/arrivals.ts';
import type { OfferRow } from '../store/repositories/claims.ts';
import { approve, assertReplacement } from './approval.ts';
import { announce, type ClaimDeps } from './deps.ts';
import { takeOfferFor } from './take-offer.ts';

/** So long after it left its site a box still finds the claim that was made for it. */
export const ARRIVAL_TTL_MS = 30 * 24 * 3_600_000;

/**
 * A box that was moved from another site asks for a claim, and staff decided already which one. Answers whose it is now;
 * null: nobody sent it anywhere. Where the site has got another box meanwhile the claim waits for a person.
 */
export async function arrive(
  deps: ClaimDeps,
  offer: OfferRow & { number: string },
  nowMs: number,
): Promise<string | null> {
  const { store, keys } = deps;
  if (nowMs >= offer.expires_at_ms) return null;
  const arrival = await store.system((trx) => findArrival(trx, offer.fingerprint));
  if (arrival === undefined || nowMs - arrival.at_ms >= ARRIVAL_TTL_MS) return null;
  const { partner_id: partnerId, site_id: siteId, ordered_by: by, fingerprint } = arrival;
  const touched = await store.inTenant(partnerId, async (trx) => {
    // Who ordered it is an admin of this partner; who they are is in the audit of the order.
    const tenant = { partnerId, actor: by, role: 'admin', staffId: null } as const;
    const claim = await takeOfferFor(trx, offer, { tenant, siteId, nowMs });
    try {
      await assertReplacement(trx, { siteId, fingerprint, agreed: null });
    } catch (error) {
      if (relayErrors.is(error) && error.code === 'REPLACEMENT_NOT_CONFIRMED') return [];
      throw error;
    }
    return approve(trx, claim, { keys, by, staffId: null, nowMs });
  });
  announce(deps, { partnerId, siteId, appliances: touched }, nowMs);
  return partnerId;
}
