/** What staff let agents do: for a site, for a group of its agents, for one agent. */
export { type AgentTier, setAgentTiers, tiersOf } from './agents.ts';
export { changeGroup, createGroup, type GroupWish, listGroups, removeGroup } from './groups.ts';
