import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { type BoxFacts, findOffer } from '../store/repositories/claims.ts';
import {
  countRearms,
  listRearms,
  type RearmFilter,
  type RearmRow,
  returnRearmTry,
  takeRearmTry,
} from '../store/repositories/custody.ts';
import { lockSite } from '../store/repositories/sites.ts';
import { approve } from './approval.ts';
import { announce, type ClaimDeps } from './deps.ts';
import { payForSearch } from './search-budget.ts';
import { takeOfferFor } from './take-offer.ts';

/** Eight digits only the box shows: as many guesses as for a typed code. */
const MAX_TRIES = 5;

/** A box that says it is the one of a site, as people see it. The number is not told: who approves reads it off the box. */
export interface RearmView {
  session: string;
  serial: string;
  model: string;
  softwareVersion: string;
  imageDigest: string;
  dikFingerprint: string;
  siteId: string;
  siteName: string;
  applianceId: string;
  startedAtMs: number;
  expiresAtMs: number;
  triesLeft: number;
}

function viewOf(row: RearmRow): RearmView {
  const { model, softwareVersion, imageDigest } = JSON.parse(row.facts) as BoxFacts;
  return {
    session: row.session,
    serial: row.serial,
    model,
    softwareVersion,
    imageDigest,
    dikFingerprint: row.fingerprint,
    siteId: row.siteId,
    siteName: row.siteName,
    applianceId: row.applianceId,
    startedAtMs: row.startedAtMs,
    expiresAtMs: row.expiresAtMs,
    triesLeft: Math.max(0, MAX_TRIES - row.tries),
  };
}

/** Boxes that came back under a new key and ask for their place. */
export function createRearmSide(deps: ClaimDeps) {
  const { store, keys } = deps;

  async function mustFind(trx: Tx, asked: { session: string; applianceId: string; nowMs: number }): Promise<RearmRow> {
    const [row] = await listRearms(trx, asked);
    if (row === undefined) throw relayErrors.make('SESSION_UNKNOWN');
    return row;
  }

  return {
    /** `more`: how many ask besides; one of them is found by the number it shows. */
    async list(
      tenant: Tenant,
      filter: Pick<RearmFilter, 'siteId' | 'nowMs'>,
    ): Promise<{ rearms: RearmView[]; more: number }> {
      return store.inTenant(tenant.partnerId, async (trx) => {
        const rearms = (await listRearms(trx, filter)).map(viewOf);
        return { rearms, more: Math.max(0, (await countRearms(trx, filter)) - rearms.length) };
      });
    },

    /** Those that show this number, however many ask. Throws RATE_LIMITED. */
    async search(
      tenant: Tenant,
      filter: Pick<RearmFilter, 'siteId' | 'nowMs'> & { number: string },
    ): Promise<RearmView[]> {
      await payForSearch(store, tenant, filter.nowMs);
      return store.inTenant(tenant.partnerId, async (trx) => (await listRearms(trx, filter)).map(viewOf));
    },

    /**
     * Gives the box the place of that appliance, and of no other one of the same serial number, when the number is the
     * one it shows. Throws SESSION_UNKNOWN, NUMBER_MISMATCH, REARM_LOCKED, REARM_AMBIGUOUS, CLAIM_NOT_WAITING,
     * BOX_CLAIMED_ELSEWHERE.
     */
    async approve(
      tenant: Tenant,
      session: string,
      { applianceId, number, nowMs }: { applianceId: string; number: string; nowMs: number },
    ): Promise<{ siteId: string; applianceId: string }> {
      const { partnerId, actor: by, staffId } = tenant;
      const asked = { session, applianceId, nowMs };
      // A try is paid before the guess is looked at, so many at once cannot have more than there are.
      const isRight = await store.inTenant(partnerId, async (trx) => {
        const asking = await mustFind(trx, asked);
        if (!(await takeRearmTry(trx, { session, partnerId, max: MAX_TRIES }))) throw relayErrors.make('REARM_LOCKED');
        return asking.number === number;
      });
      if (!isRight) throw relayErrors.make('NUMBER_MISMATCH', { field: '/number' });
      const { siteId, touched } = await store.inTenant(partnerId, async (trx) => {
        const { siteId } = await mustFind(trx, asked);
        // With enough made-up requests one shows the number of the honest box by chance: then no page can tell them apart.
        if ((await countRearms(trx, { applianceId, number, nowMs })) > 1)
          throw relayErrors.make('REARM_AMBIGUOUS', { field: '/number' });
        const offer = await findOffer(trx, session);
        if (offer === undefined) throw relayErrors.make('SESSION_UNKNOWN');
        await returnRearmTry(trx, { session, partnerId });
        await lockSite(trx, siteId);
        const claim = await takeOfferFor(trx, { ...offer, number }, { tenant, siteId, nowMs });
        return { siteId, touched: await approve(trx, claim, { keys, by, staffId, agreed: applianceId, nowMs }) };
      });
      announce(deps, { partnerId, siteId, appliances: touched }, nowMs);
      return { siteId, applianceId: touched[0] ?? '' };
    },
  };
}
