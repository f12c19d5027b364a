import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { keys } from '../../../api/keys.ts';
import { changeGroup, createGroup, groupsQuery, removeGroup } from '../../../api/queries/agents.ts';
import type { Group, GroupList, GroupPatch, GroupRequest, Tier } from '../../../api/types.ts';
import { TIERS } from '../../../words/work.ts';

type GroupWish =
  | { readonly create: GroupRequest }
  | { readonly groupId: string; readonly change: GroupPatch }
  | { readonly groupId: string; readonly remove: true };

/** Makes, changes or removes a group; the tiers of its agents are asked for again. */
export function useChangeGroup(siteId: string) {
  const client = useQueryClient();
  const { queryKey } = groupsQuery(siteId);
  return useMutation({
    mutationFn: async (wish: GroupWish): Promise<GroupList | null> => {
      if ('create' in wish) return createGroup(siteId, wish.create);
      if ('change' in wish) return changeGroup(siteId, wish.groupId, wish.change);
      await removeGroup(siteId, wish.groupId);
      return null;
    },
    onSuccess: (list) => list && client.setQueryData<GroupList>(queryKey, list),
    onSettled: () => void client.invalidateQueries({ queryKey: keys.agents(siteId) }),
  });
}

interface Move {
  readonly agentIds: readonly string[];
  /** null: into none, so that they follow the site. */
  readonly groupId: string | null;
}

/** The changes that bring agents where they are wanted. A group is told all its agents, so the list must be fresh. */
export function planMove(
  groups: readonly Group[],
  { agentIds, groupId }: Move,
): { groupId: string; agentIds: string[] }[] {
  const moved = new Set(agentIds);
  if (groupId !== null) {
    const there = groups.find(({ id }) => id === groupId)?.agentIds ?? [];
    // Whoever joins a group leaves the one before by that.
    return [{ groupId, agentIds: [...new Set([...there, ...agentIds])] }];
  }
  return groups
    .filter((group) => group.agentIds.some((id) => moved.has(id)))
    .map((group) => ({ groupId: group.id, agentIds: group.agentIds.filter((id) => !moved.has(id)) }));
}

/** Puts agents into a group, or out of theirs. */
export function useMoveAgents(siteId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (move: Move) => {
      const { groups } = await client.fetchQuery({ ...groupsQuery(siteId), staleTime: 0 });
      for (const { groupId, agentIds } of planMove(groups, move)) await changeGroup(siteId, groupId, { agentIds });
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.agents(siteId) }),
  });
}

/** The groups of a site by id; empty while they are not known. */
export function useGroups(siteId: string): readonly Group[] {
  return useQuery(groupsQuery(siteId)).data?.groups ?? [];
}

const AS_SITE = 'site';
export const GROUP_TIERS = [
  { value: AS_SITE, label: 'As the site' },
  ...TIERS.map(({ name }, tier) => ({ value: String(tier), label: name })),
];
export const groupTierValue = (tier: Tier | null): string => (tier === null ? AS_SITE : String(tier));
export const groupTierOf = (value: string): Tier | null => (value === AS_SITE ? null : (Number(value) as Tier));
