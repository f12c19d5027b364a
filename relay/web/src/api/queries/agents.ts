import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, take } from '../client.ts';
import { keys } from '../keys.ts';

/** Below the key of the agents: what changes them makes these old too. */
export const rmmQuery = (siteId: string) =>
  queryOptions({
    queryKey: [...keys.agents(siteId), 'rmm'] as const,
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}/rmm', { params: { path: { siteId } }, signal })),
  });

export const agentHistoryQuery = (siteId: string, agentId: string, days: number) =>
  queryOptions({
    queryKey: [...keys.agents(siteId), 'history', agentId, days] as const,
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/sites/{siteId}/agents/{agentId}/history', {
          params: { path: { siteId, agentId }, query: { days } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: 5 * 60_000,
  });
