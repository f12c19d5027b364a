import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, take } from '../client.ts';
import { keys } from '../keys.ts';
import type { GroupPatch, GroupRequest, Tier } from '../types.ts';

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

/** `tier` null: as its group or site. */
export const setAgentTier = (siteId: string, agentId: string, tier: Tier | null) =>
  take(api.PUT('/api/sites/{siteId}/agents/{agentId}/tier', { params: { path: { siteId, agentId } }, body: { tier } }));

/** All of them or none. */
export const setAgentTiers = (siteId: string, agentIds: string[], tier: Tier | null) =>
  take(api.PUT('/api/sites/{siteId}/agents/tier', { params: { path: { siteId } }, body: { agentIds, tier } }));

/** Below the key of the agents: a change of a group changes tiers of agents. */
export const groupsQuery = (siteId: string) =>
  queryOptions({
    queryKey: [...keys.agents(siteId), 'groups'] as const,
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}/groups', { params: { path: { siteId } }, signal })),
  });

export const createGroup = (siteId: string, body: GroupRequest) =>
  take(api.POST('/api/sites/{siteId}/groups', { params: { path: { siteId } }, body }));

export const changeGroup = (siteId: string, groupId: string, body: GroupPatch) =>
  take(api.PATCH('/api/sites/{siteId}/groups/{groupId}', { params: { path: { siteId, groupId } }, body }));

export const removeGroup = (siteId: string, groupId: string) =>
  take(api.DELETE('/api/sites/{siteId}/groups/{groupId}', { params: { path: { siteId, groupId } } }));
