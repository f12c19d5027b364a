import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import { secretHash } from '../lib/secrets.ts';
import type { Tx } from '../store/index.ts';
import { boxToReplace } from '../store/repositories/appliances.ts';
import { takeArrivalAt } from '../store/repositories/arrivals.ts';
import {
  type ClaimRow,
  claimProgress,
  findingsOf,
  findOffer,
  findOfferBySecret,
  listClaims,
  type OfferRow,
  rejectClaim,
} from '../store/repositories/claims.ts';
import { lockSite } from '../store/repositories/sites.ts';
import { approve, assertReplacement } from './approval.ts';
import { announce, type ClaimDeps } from './deps.ts';
import { assertGiven } from './given-sites.ts';
import { type ClaimEvent, type ClaimVerdict, decideClaim } from './machine.ts';
import { mustFindClaim, takeOfferFor } from './take-offer.ts';
import { type ClaimView, claimOf, claimView, unclaimedOf, unclaimedView } from './view.ts';

const MAX_LISTED = 100;

export interface ScannedBox {
  readonly secret: string;
  readonly fingerprint: string;
}

/** What staff do with boxes that want in: find, claim, approve, reject. */
export function createStaffSide(deps: ClaimDeps) {
  const { store, keys } = deps;

  async function viewIn(trx: Tx, claim: ClaimRow, nowMs: number): Promise<ClaimView> {
    const { site_id: siteId, fingerprint } = claim;
    const progress = await claimProgress(trx, siteId, claim.appliance_id);
    return claimView(claim, { progress, replaces: await boxToReplace(trx, { siteId, fingerprint }), nowMs });
  }

  function decided(claim: Parameters<typeof decideClaim>[0], event: ClaimEvent, nowMs: number) {
    const verdict: ClaimVerdict = decideClaim(claim, event, nowMs);
    if (!verdict.ok)
      throw relayErrors.make(verdict.code, verdict.code === 'NUMBER_MISMATCH' ? { field: '/number' } : {});
    return verdict.effects;
  }

  /** An offer that is nobody's or this tenant's; those of others do not exist. */
  function visible(offer: OfferRow | undefined, partnerId: string): OfferRow {
    const isVisible = offer?.partner_id === null || offer?.partner_id === partnerId;
    if (offer === undefined || !isVisible) throw relayErrors.make('SESSION_UNKNOWN');
    return offer;
  }

  async function scanned({ secret, fingerprint }: ScannedBox, partnerId: string): Promise<OfferRow> {
    const found = await store.system((trx) => findOfferBySecret(trx, secretHash('offer', secret)));
    const offer = visible(found, partnerId);
    if (offer.fingerprint !== fingerprint) throw relayErrors.make('SESSION_UNKNOWN');
    return offer;
  }

  async function show(
    offer: OfferRow,
    tenant: Tenant,
    { siteId, nowMs }: { siteId?: string | undefined; nowMs: number },
  ): Promise<ClaimView> {
    if (offer.partner_id === null) {
      if (nowMs >= offer.expires_at_ms) throw relayErrors.make('SESSION_UNKNOWN');
      const { fingerprint } = offer;
      const replaces =
        siteId === undefined
          ? null
          : await store.inTenant(tenant.partnerId, async (trx) => {
              await assertGiven(trx, tenant, siteId);
              return boxToReplace(trx, { siteId, fingerprint });
            });
      return unclaimedView(offer, replaces, nowMs);
    }
    return store.inTenant(tenant.partnerId, async (trx) => {
      const claim = await mustFindClaim(trx, offer.id);
      await assertGiven(trx, tenant, claim.site_id);
      return { ...(await viewIn(trx, claim, nowMs)), doctor: findingsOf(offer) };
    });
  }

  return {
    /**
     * The only way to a box nobody has claimed, and to its number: the secret of its code is proof of having been in front
     * of it. A session id proves nothing: `rearms` tells it to everyone with a box of that serial number. With `siteId`
     * it shows which box this one would replace there.
     */
    async lookup(
      tenant: Tenant,
      { siteId, ...box }: ScannedBox & { siteId?: string },
      nowMs: number,
    ): Promise<ClaimView> {
      return show(await scanned(box, tenant.partnerId), tenant, { siteId, nowMs });
    },

    /** A claim of this tenant. Throws SESSION_UNKNOWN, also for a box nobody has claimed; SITE_NOT_GIVEN. */
    async find(tenant: Tenant, session: string, nowMs: number): Promise<ClaimView> {
      const offer = visible(await store.system((trx) => findOffer(trx, session)), tenant.partnerId);
      if (offer.partner_id === null) throw relayErrors.make('SESSION_UNKNOWN');
      return show(offer, tenant, { nowMs });
    },

    /** Those that wait first, then the newest. */
    async list(tenant: Tenant, nowMs: number): Promise<ClaimView[]> {
      return store.inTenant(tenant.partnerId, async (trx) => {
        const listed = await listClaims(trx, tenant.partnerId, MAX_LISTED);
        const views = listed.map(({ claim, ...rest }) => claimView(claim, { ...rest, nowMs }));
        const rank = (view: ClaimView) => (view.state === 'claimed' ? 0 : 1);
        return views.sort((a, b) => rank(a) - rank(b) || b.startedAtMs - a.startedAtMs);
      });
    },

    /**
     * `replaces`: the appliance of the site that may go out of service. Throws SESSION_UNKNOWN, NUMBER_NOT_READY,
     * NUMBER_MISMATCH, CLAIM_NOT_WAITING, NOT_FOUND, SITE_NOT_GIVEN, BOX_CLAIMED_ELSEWHERE, REPLACEMENT_NOT_CONFIRMED.
     */
    async claim(
      tenant: Tenant,
      {
        session,
        siteId,
        number,
        replaces,
        ...box
      }: ScannedBox & { session: string; siteId: string; number: string; replaces?: string },
      nowMs: number,
    ): Promise<ClaimView> {
      const { partnerId, actor, role } = tenant;
      if ((await scanned(box, partnerId)).id !== session) throw relayErrors.make('SESSION_UNKNOWN');
      const event: ClaimEvent = { type: 'claim', siteId, by: actor, number, mayApprove: role === 'admin' };
      const { view, touched } = await store.inTenant(partnerId, async (trx) => {
        await assertGiven(trx, tenant, siteId);
        const offer = visible(await findOffer(trx, session), partnerId);
        const known = offer.partner_id === null ? undefined : await mustFindClaim(trx, session);
        const effects = decided(known ? claimOf(known) : unclaimedOf(offer), event, nowMs);
        if (effects.includes('approve')) await lockSite(trx, siteId);
        // A claim that waits takes nothing out of service, so there the question is put to who approves.
        else if (effects.includes('take') && replaces !== undefined)
          await assertReplacement(trx, { siteId, fingerprint: offer.fingerprint, agreed: replaces });
        let claim = known ?? (await takeOfferFor(trx, { ...offer, number }, { tenant, siteId, nowMs }));
        let touched: string[] = [];
        if (effects.includes('approve')) {
          const agreed = replaces ?? null;
          touched = await approve(trx, claim, { keys, by: actor, staffId: tenant.staffId, agreed, nowMs });
          claim = await mustFindClaim(trx, session);
        }
        return { view: await viewIn(trx, claim, nowMs), touched };
      });
      announce(deps, { partnerId, siteId, appliances: touched }, nowMs);
      return view;
    },

    /**
     * Throws SESSION_UNKNOWN, NUMBER_MISMATCH, CLAIM_NOT_WAITING, CLAIM_DISPUTED, BOX_CLAIMED_ELSEWHERE,
     * REPLACEMENT_NOT_CONFIRMED.
     */
    async approve(
      tenant: Tenant,
      session: string,
      { number, replaces, nowMs }: { number: string; replaces?: string; nowMs: number },
    ) {
      const { partnerId, actor } = tenant;
      const { view, touched } = await store.inTenant(partnerId, async (trx) => {
        let claim = await mustFindClaim(trx, session);
        let touched: string[] = [];
        if (decided(claimOf(claim), { type: 'approve', number }, nowMs).length > 0) {
          const agreed = replaces ?? null;
          touched = await approve(trx, claim, { keys, by: actor, staffId: tenant.staffId, agreed, nowMs });
          claim = await mustFindClaim(trx, session);
        }
        return { view: await viewIn(trx, claim, nowMs), touched };
      });
      announce(deps, { partnerId, siteId: view.siteId, appliances: touched }, nowMs);
      return view;
    },

    /** Throws SESSION_UNKNOWN, CLAIM_NOT_WAITING. */
    async reject(tenant: Tenant, session: string, nowMs: number): Promise<ClaimView> {
      const { partnerId, actor } = tenant;
      const view = await store.inTenant(partnerId, async (trx) => {
        const claim = await mustFindClaim(trx, session);
        if (decided(claimOf(claim), { type: 'reject' }, nowMs).length > 0) {
          if (!(await rejectClaim(trx, session))) throw relayErrors.make('CLAIM_NOT_WAITING');
          // The box of an order that a person does not want to carry out is free: it shows its code again.
          const move = { partnerId, siteId: claim.site_id, fingerprint: claim.fingerprint };
          const isMoveOver = claim.arrival !== null && (await takeArrivalAt(trx, move)) !== undefined;
          const detail = { staffId: tenant.staffId, ...(isMoveOver && { isMoveOver }) };
          await appendAudit(trx, { partnerId, atMs: nowMs, actor, action: 'claim.rejected', ref: session, detail });
        }
        return viewIn(trx, await mustFindClaim(trx, session), nowMs);
      });
      announce(deps, { partnerId, siteId: view.siteId, appliances: [] }, nowMs);
      deps.live.publish(partnerId, { kind: 'site', siteId: view.siteId, atMs: nowMs });
      return view;
    },
  };
}
