import type { Tx } from '../store/index.ts';
import {
  type ArrivalRow,
  findArrival,
  knownAtRelease,
  openArrivalClaim,
  setStanding,
} from '../store/repositories/arrivals.ts';
import type { ClaimRow, OfferRow } from '../store/repositories/claims.ts';
import { lockSite } from '../store/repositories/sites.ts';
import { approveOrWait } from './approval.ts';
import { announce, type ClaimDeps } from './deps.ts';
import { takeOfferFor } from './take-offer.ts';

/** So long after it left its site a box still finds the claim that was made for it. */
export const ARRIVAL_TTL_MS = 30 * 24 * 3_600_000;

/**
 * A box that was moved from another site asks for a claim, and staff decided already which one. Answers whose it is now;
 * null: nobody sent it anywhere, or another that says to be it waits for a person already. Where the site has got another
 * box meanwhile, or this is not the box as it left, the claim waits for a person.
 */
export async function arrive(
  deps: ClaimDeps,
  offer: OfferRow & { number: string },
  nowMs: number,
): Promise<string | null> {
  const { store, keys } = deps;
  if (nowMs >= offer.expires_at_ms) return null;
  const isOpen = (arrival: ArrivalRow) => nowMs - arrival.at_ms < ARRIVAL_TTL_MS;
  const sent = await store.system((trx) => findArrival(trx, offer.fingerprint));
  if (sent === undefined || !isOpen(sent)) return null;
  const { partner_id: partnerId, site_id: siteId } = sent;
  const touched = await store.inTenant(partnerId, async (trx) => {
    await lockSite(trx, siteId);
    const arrival = await findArrival(trx, offer.fingerprint);
    const { fingerprint } = offer;
    // Taken back or sent elsewhere meanwhile; or one with this key waits, and nobody knows which of the two it is.
    if (arrival?.site_id !== siteId || (await openArrivalClaim(trx, { fingerprint, nowMs }))) return null;
    // Who ordered it is an admin of this partner; who they are is in the audit of the order.
    const by = arrival.ordered_by;
    const tenant = { partnerId, actor: by, role: 'admin', staffId: null } as const;
    const claim = await takeOfferFor(trx, offer, { tenant, siteId, nowMs });
    if (!(await isAsItLeft(trx, arrival, claim))) {
      await setStanding(trx, claim.id, 'other_facts');
      return [];
    }
    const made = await approveOrWait(trx, claim, { keys, by, staffId: null, agreed: null, nowMs });
    await setStanding(trx, claim.id, made.length > 0 ? 'as_ordered' : 'site_has_box');
    return made;
  });
  if (touched === null) return null;
  announce(deps, { partnerId, siteId, appliances: touched }, nowMs);
  return partnerId;
}

/** The device key is no proof of the whole box: secrets of the new site are sealed to the other key it says. */
async function isAsItLeft(trx: Tx, arrival: ArrivalRow, claim: ClaimRow): Promise<boolean> {
  const known = await knownAtRelease(trx, arrival);
  const { seal } = JSON.parse(claim.keys) as { seal: string };
  return known !== undefined && known.seal === seal && known.serial === claim.serial;
}
