import { queryOptions } from '@tanstack/react-query';
import type { ScannedClaim } from '../../session/scanned-claim.ts';
import { api, take } from '../client.ts';
import { keys } from '../keys.ts';
import type { ClaimSession } from '../types.ts';

const scannedKey = ({ fingerprint }: ScannedClaim) => [...keys.claimSession, 'scanned', fingerprint] as const;

/**
 * The box that was scanned, asked every 2 s until somebody claims it: only its code leads to a box that is nobody's. The
 * secret stays out of the key; the fingerprint names the same box.
 */
export const lookupQuery = (claim: ScannedClaim) =>
  queryOptions({
    queryKey: scannedKey(claim),
    queryFn: ({ signal }) => take(api.POST('/api/provision/lookup', { body: claim, signal })),
    refetchInterval: ({ state }) => (state.data?.state === 'started' ? 2000 : false),
  });

export const claimBox = (
  claim: ScannedClaim & { session: string; siteId: string; number: string; replaces?: string },
) => {
  const { session, ...body } = claim;
  return take(api.POST('/api/provision/sessions/{session}/claim', { params: { path: { session } }, body }));
};

/** What claiming the box for a site would replace there, read when the site is picked. */
export const claimAtSiteQuery = (claim: ScannedClaim, siteId: string) =>
  queryOptions({
    queryKey: [...scannedKey(claim), siteId],
    queryFn: ({ signal }) => take(api.POST('/api/provision/lookup', { body: { ...claim, siteId }, signal })),
  });

const isOver = (claim: ClaimSession) =>
  claim.state === 'rejected' || claim.state === 'expired' || (claim.progress.firstCheckin && claim.progress.agents > 0);

/** How a claim stands. Asked every 2 s until nothing more can change, beside the live events. */
export const claimSessionQuery = (session: string) =>
  queryOptions({
    retry: false,
    queryKey: [...keys.claimSession, session],
    queryFn: ({ signal }) =>
      take(api.GET('/api/provision/sessions/{session}', { params: { path: { session } }, signal })),
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : 2000),
  });
