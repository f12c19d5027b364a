import { Type } from '@sinclair/typebox';
import * as http from '@sitewarden/agent-proto/http';
import { RMM_AREAS } from '@sitewarden/agent-proto/rmm';
import { SPAN_STATUSES } from '../../history/index.ts';
import type { RouteContract } from './table.ts';
import { everyone } from './who.ts';

const { closed, Count, Id, ShortText, Text, UnixMs } = http;

/** How one check went. `not_known`: before the first result, while nobody looked, or since the agent was last heard. */
const CheckTimeline = closed({
  check: ShortText,
  subject: ShortText,
  spans: Type.Array(closed({ status: http.oneOf(SPAN_STATUSES), fromMs: UnixMs, toMs: UnixMs }), {
    description: 'oldest first, without gaps, from fromMs to asOfMs',
  }),
});
const AgentHistory = closed({
  agentId: Id('agt'),
  fromMs: UnixMs,
  checks: Type.Array(CheckTimeline),
  isCut: Type.Boolean({ description: 'there were too many changes: the oldest are left out and shown as not known' }),
  asOfMs: UnixMs,
});

const Area = http.oneOf(RMM_AREAS);
const RmmOverlap = closed({
  workstations: Type.Array(
    closed({
      agentId: Id('agt'),
      host: ShortText,
      tools: Type.Array(closed({ product: ShortText, version: ShortText, running: Type.Boolean(), kind: ShortText })),
      fights: Type.Array(
        closed({
          action: ShortText,
          product: ShortText,
          area: Area,
          certainty: http.oneOf(['likely', 'possible'] as const),
          why: Text,
        }),
        { description: 'actions of ours that a tool would undo or repeat; likely: the tool runs' },
      ),
      rivals: Type.Array(closed({ area: Area, products: Type.Array(ShortText) }), {
        description: 'areas that two or more running tools change',
      }),
    }),
    { description: 'those with a tool, the most fights first' },
  ),
  products: Type.Array(closed({ product: ShortText, kind: ShortText, installed: Count, running: Count })),
  cleanCount: Count,
  neverLookedCount: Type.Integer({
    minimum: 0,
    description: 'workstations nobody has looked at: not clean, not known',
  }),
  asOfMs: UnixMs,
});

/** What else staff see of the workstations of a site. */
export const AGENT_ROUTES = {
  agentHistory: {
    method: 'GET',
    url: '/api/sites/:siteId/agents/:agentId/history',
    access: everyone,
    summary: 'How each check of a workstation went; changes are kept for 90 days',
    params: closed({ siteId: Id('site'), agentId: Id('agt') }),
    query: closed({ days: Type.Optional(Type.Integer({ minimum: 1, maximum: 90, default: 90 })) }),
    response: AgentHistory,
  },
  rmmOverlap: {
    method: 'GET',
    url: '/api/sites/:siteId/rmm',
    access: everyone,
    summary: 'Which workstation has which other management tool, and which of our actions it would fight',
    params: closed({ siteId: Id('site') }),
    response: RmmOverlap,
  },
} as const satisfies Record<string, RouteContract>;
