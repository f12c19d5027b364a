import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { isOrderOpen } from '../../words/work.ts';
import { api, take } from '../client.ts';
import { keys } from '../keys.ts';
import type { OrderRequest, SitePatch } from '../types.ts';

const at = (siteId: string) => ({ params: { path: { siteId } } });

export const siteQuery = (siteId: string) =>
  queryOptions({
    queryKey: keys.site(siteId),
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}', { ...at(siteId), signal })),
    refetchInterval: 30_000,
  });

export const agentsQuery = (siteId: string) =>
  queryOptions({
    queryKey: keys.agents(siteId),
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}/agents', { ...at(siteId), signal })),
    refetchInterval: 60_000,
  });

export const incidentsQuery = (siteId: string, state: 'open' | 'all') =>
  queryOptions({
    queryKey: [...keys.incidents(siteId), state],
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/sites/{siteId}/incidents', {
          params: { path: { siteId }, query: { state, limit: 200 } },
          signal,
        }),
      ),
  });

export const devicesQuery = (siteId: string) =>
  queryOptions({
    queryKey: keys.devices(siteId),
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}/devices', { ...at(siteId), signal })),
  });

/** `log`: one of before; null: that of the box there now. */
export const evidenceQuery = (siteId: string, log: string | null) =>
  infiniteQueryOptions({
    queryKey: [...keys.evidence(siteId), log],
    queryFn: ({ pageParam, signal }) =>
      take(
        api.GET('/api/sites/{siteId}/evidence', {
          params: {
            path: { siteId },
            query: {
              limit: 10,
              ...(log === null ? {} : { log }),
              ...(pageParam === null ? {} : { before: pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.nextBefore,
  });

export const timelineQuery = (siteId: string) =>
  queryOptions({
    queryKey: keys.timeline(siteId),
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}/timeline', { ...at(siteId), signal })),
  });

/** While somebody waits for an order: its states come by the stream, and this finds them where the stream does not get through. */
const OPEN_ORDERS_MS = 10_000;

export const ordersQuery = (siteId: string) =>
  queryOptions({
    queryKey: keys.orders(siteId),
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}/orders', { ...at(siteId), signal })),
    refetchInterval: ({ state }) => (state.data?.orders.some(isOrderOpen) ? OPEN_ORDERS_MS : false),
  });

export const createOrder = (siteId: string, body: OrderRequest) =>
  take(api.POST('/api/sites/{siteId}/orders', { ...at(siteId), body }));

export const changeSite = (siteId: string, body: SitePatch) =>
  take(api.PATCH('/api/sites/{siteId}', { ...at(siteId), body }));

export const fetchProof = (siteId: string, seq: number, log: string | null) =>
  take(
    api.GET('/api/sites/{siteId}/evidence/{seq}', {
      params: { path: { siteId, seq }, query: log === null ? {} : { log } },
    }),
  );

export const releaseQuarantine = (siteId: string, applianceId: string, genuineBootId?: string) =>
  take(
    api.POST('/api/sites/{siteId}/appliance/release-quarantine', {
      ...at(siteId),
      body: { applianceId, ...(genuineBootId === undefined ? {} : { genuineBootId }) },
    }),
  );
