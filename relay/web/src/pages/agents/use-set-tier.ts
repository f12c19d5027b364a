import { useMutation, useQueryClient } from '@tanstack/react-query';
import { keys } from '../../api/keys.ts';
import { setAgentTier, setAgentTiers } from '../../api/queries/agents.ts';
import type { Agent, AgentList, AgentTier, Tier } from '../../api/types.ts';

interface Wish {
  agentIds: string[];
  /** null: as their group or site. */
  tier: Tier | null;
}

/**
 * Shows what is wanted at once and takes it back when the relay refuses. What is in force changes only when the box says
 * so. Without a tier of its own nobody but the relay knows which one an agent gets: that waits for the answer.
 */
export function useSetTier(siteId: string) {
  const client = useQueryClient();
  const queryKey = keys.agents(siteId);
  const edit = (change: (agent: Agent) => Agent) =>
    client.setQueryData<AgentList>(queryKey, (list) => list && { ...list, agents: list.agents.map(change) });
  const take = (answers: readonly AgentTier[]) => {
    const byId = new Map(answers.map(({ agentId, ...wanted }) => [agentId, wanted]));
    edit((agent) => ({ ...agent, ...byId.get(agent.id) }));
  };
  return useMutation({
    mutationFn: async ({ agentIds, tier }: Wish) => {
      const [only] = agentIds;
      if (agentIds.length === 1 && only !== undefined) return [await setAgentTier(siteId, only, tier)];
      return (await setAgentTiers(siteId, agentIds, tier)).agents;
    },
    onMutate: async ({ agentIds, tier }) => {
      await client.cancelQueries({ queryKey, exact: true });
      const before = client.getQueryData<AgentList>(queryKey);
      const wanted = new Set(agentIds);
      if (tier !== null)
        edit((agent) => (wanted.has(agent.id) ? { ...agent, wantedTier: tier, tierFrom: 'agent' } : agent));
      return { before };
    },
    onSuccess: take,
    onError: (_error, _wish, context) => {
      const was = new Map(context?.before?.agents.map((agent) => [agent.id, agent]));
      edit((agent) => {
        const { wantedTier, tierFrom } = was.get(agent.id) ?? agent;
        return { ...agent, wantedTier, tierFrom };
      });
    },
    onSettled: () => void client.invalidateQueries({ queryKey, exact: true }),
  });
}
