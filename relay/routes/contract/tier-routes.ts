import { type Static, Type } from '@sinclair/typebox';
import * as http from '@sitewarden/agent-proto/http';
import type { RouteContract } from './table.ts';
import { AgentTierView, Name, Ok } from './views.ts';
import { admins, everyone } from './who.ts';

const Tier = Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)]);
/** Agents of one request, and of one group. */
const MAX_AGENTS = 500;

export const GroupView = http.closed({
  id: http.Id('grp'),
  name: http.ShortText,
  tier: http.Nullable(Tier),
  agentIds: Type.Array(http.Id('agt')),
});
export type GroupView = Static<typeof GroupView>;
const GroupList = http.closed({ groups: Type.Array(GroupView), asOfMs: http.UnixMs });

const AgentIds = (options: { minItems?: number } = {}) =>
  Type.Array(http.Id('agt'), { maxItems: MAX_AGENTS, uniqueItems: true, ...options });
const WantedTier = http.Nullable(Tier);
const GroupRequest = http.closed({
  name: Name,
  tier: Type.Optional(WantedTier),
  agentIds: Type.Optional(AgentIds()),
});
const GroupPatch = Type.Partial(GroupRequest, { additionalProperties: false, minProperties: 1 });

const site = http.closed({ siteId: http.Id('site') });
const group = http.closed({ siteId: http.Id('site'), groupId: http.Id('grp') });

/** What agents may do: the agent's own tier goes before its group's, that before the site's. */
export const TIER_ROUTES = {
  setAgentTier: {
    method: 'PUT',
    url: '/api/sites/:siteId/agents/:agentId/tier',
    access: admins,
    summary: 'Set the tier of one agent; null: as its group or site. The box and the agent get it at once',
    params: http.closed({ siteId: http.Id('site'), agentId: http.Id('agt') }),
    body: http.closed({ tier: WantedTier }),
    response: AgentTierView,
  },
  setAgentTiers: {
    method: 'PUT',
    url: '/api/sites/:siteId/agents/tier',
    access: admins,
    summary: 'Set the tier of many agents: of all of them, or of none when one is not there',
    params: site,
    body: http.closed({ agentIds: AgentIds({ minItems: 1 }), tier: WantedTier }),
    response: http.closed({ agents: Type.Array(AgentTierView), asOfMs: http.UnixMs }),
  },
  groups: {
    method: 'GET',
    url: '/api/sites/:siteId/groups',
    access: everyone,
    summary: 'Groups of agents and their tiers',
    params: site,
    response: GroupList,
  },
  createGroup: {
    method: 'POST',
    url: '/api/sites/:siteId/groups',
    access: admins,
    summary: 'Make a group of agents; an agent is in one group at most and leaves another one for this',
    params: site,
    body: GroupRequest,
    response: GroupList,
    status: 201,
  },
  changeGroup: {
    method: 'PATCH',
    url: '/api/sites/:siteId/groups/:groupId',
    access: admins,
    summary: 'Change name, tier or agents of a group; agentIds names all it has from then on',
    params: group,
    body: GroupPatch,
    response: GroupList,
  },
  removeGroup: {
    method: 'DELETE',
    url: '/api/sites/:siteId/groups/:groupId',
    access: admins,
    summary: 'Remove a group; its agents follow the site again',
    params: group,
    response: Ok,
  },
} as const satisfies Record<string, RouteContract>;
