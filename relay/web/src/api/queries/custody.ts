import { queryOptions } from '@tanstack/react-query';
import { api, take } from '../client.ts';
import { keys } from '../keys.ts';

const at = (siteId: string) => ({ params: { path: { siteId } } });

export const custodyQuery = (siteId: string) =>
  queryOptions({
    queryKey: keys.custody(siteId),
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}/custody', { ...at(siteId), signal })),
  });

export const quarantineQuery = (siteId: string) =>
  queryOptions({
    queryKey: keys.quarantine(siteId),
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}/quarantine', { ...at(siteId), signal })),
    // What a copy does is written down a little later than it comes.
    refetchInterval: 15_000,
  });

export const availabilityQuery = (siteId: string) =>
  queryOptions({
    queryKey: keys.availability(siteId),
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}/availability', { ...at(siteId), signal })),
    refetchInterval: 5 * 60_000,
  });

export const receiptQuery = (receiptId: string) =>
  queryOptions({
    queryKey: ['receipt', receiptId] as const,
    queryFn: ({ signal }) => take(api.GET('/api/receipts/{receiptId}', { params: { path: { receiptId } }, signal })),
  });

const place = (siteId?: string) => (siteId === undefined ? {} : { siteId });

/** Boxes that came back under a new key; all, or those of one site. */
export const rearmsQuery = (siteId?: string) =>
  queryOptions({
    queryKey: [...keys.rearms, siteId ?? ''] as const,
    queryFn: ({ signal }) => take(api.GET('/api/provision/rearms', { params: { query: place(siteId) }, signal })),
    // Nobody is told when a box begins to ask: it belongs to nobody yet.
    refetchInterval: 5000,
  });

interface Wish {
  applianceId: string;
  reason: string;
}
export const orderRelease = (siteId: string, body: Wish) =>
  take(api.POST('/api/sites/{siteId}/release', { ...at(siteId), body }));
export const transferBox = (siteId: string, body: Wish & { toSiteId: string }) =>
  take(api.POST('/api/sites/{siteId}/transfer', { ...at(siteId), body }));
export const withdrawRelease = (siteId: string, releaseId: string) =>
  take(api.POST('/api/sites/{siteId}/release/withdraw', { ...at(siteId), body: { releaseId } }));
export const cancelMove = (siteId: string, dikFingerprint: string) =>
  take(api.POST('/api/sites/{siteId}/arriving/cancel', { ...at(siteId), body: { dikFingerprint } }));
export const removeBox = (siteId: string, body: Wish) =>
  take(api.POST('/api/sites/{siteId}/appliance/remove', { ...at(siteId), body }));
/** Those that show a number. Each search counts, so it is asked once and not again by itself. */
export const findRearm = (siteId: string | undefined, number: string) =>
  take(api.POST('/api/provision/rearms/search', { body: { ...place(siteId), number } }));
export const rearmBox = (session: string, body: { applianceId: string; number: string }) =>
  take(api.POST('/api/provision/rearms/{session}', { params: { path: { session } }, body }));
