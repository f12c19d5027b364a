import { SESSION_IDLE_MS } from '../accounts/index.ts';
import type { Store } from '../store/index.ts';
import { purgeArrivals } from '../store/repositories/arrivals.ts';
import { purgeOffers } from '../store/repositories/claims.ts';
import { purgeRetired } from '../store/repositories/custody.ts';
import { listTenants } from '../store/repositories/directory.ts';
import { purgeSecrets } from '../store/repositories/purge.ts';
import { purgeFailures } from '../store/repositories/sign-in-failures.ts';
import { ARRIVAL_TTL_MS } from './arrive.ts';

/**
 * Kept this long after their end: staff can see what became of a claim, and a late box hears that its offer expired. What
 * nobody claimed came from anybody, at any rate they could send.
 */
const KEEP_OFFERS_MS = { claimed: 30 * 24 * 3_600_000, nobodys: 3_600_000 } as const;
/** A box that was put away for two years is told why it is not welcome; later its key is one nobody knows. */
export const KEEP_RETIRED_MS = 2 * 365 * 24 * 3_600_000;
const KEEP_SECRETS_MS = 24 * 3_600_000;

/** Removes what nobody can use any more: offers, sessions, links, and the directory entries of dead codes. */
export async function purgeExpired(store: Store, nowMs: number): Promise<void> {
  await store.system((trx) =>
    purgeOffers(trx, { claimed: nowMs - KEEP_OFFERS_MS.claimed, nobodys: nowMs - KEEP_OFFERS_MS.nobodys }),
  );
  await store.system((trx) => purgeFailures(trx, nowMs));
  await store.system((trx) => purgeRetired(trx, nowMs - KEEP_RETIRED_MS));
  await store.system((trx) => purgeArrivals(trx, nowMs - ARRIVAL_TTL_MS));
  for (const partnerId of await store.system(listTenants)) {
    await store.inTenant(partnerId, (trx) =>
      purgeSecrets(trx, partnerId, {
        endedBeforeMs: nowMs - KEEP_SECRETS_MS,
        unusedSinceMs: nowMs - SESSION_IDLE_MS,
        nowMs,
      }),
    );
  }
}
