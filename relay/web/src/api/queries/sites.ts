import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, take } from '../client.ts';
import { keys } from '../keys.ts';
import type { Health, SiteList } from '../types.ts';

export interface SiteFilter {
  search: string;
  health: Health | null;
}

const PAGE_ROWS = 200;

export function fetchSites(filter: SiteFilter, cursor: string | null, signal?: AbortSignal): Promise<SiteList> {
  const query = {
    limit: PAGE_ROWS,
    ...(filter.search ? { search: filter.search } : {}),
    ...(filter.health ? { health: filter.health } : {}),
    ...(cursor ? { cursor } : {}),
  };
  return take(api.GET('/api/sites', { params: { query }, signal }));
}

/** Pages of sites, what is not fine first. The totals and the rows of a page come from one answer. */
export const sitesQuery = (filter: SiteFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.sites, filter],
    queryFn: ({ pageParam, signal }) => fetchSites(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: (before) => before,
    refetchInterval: 30_000,
  });

/** Few sites by name, for picking one. */
export const siteSearchQuery = (search: string) =>
  queryOptions({
    queryKey: [...keys.sites, 'search', search],
    queryFn: ({ signal }) =>
      take(api.GET('/api/sites', { params: { query: { limit: 20, ...(search ? { search } : {}) } }, signal })),
    placeholderData: (before) => before,
  });
