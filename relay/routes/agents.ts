import { agentHistory, listSiteAgents, rmmOverlap } from '../sites/index.ts';
import { defineHandlers } from './context.ts';

export function agentHandlers() {
  return defineHandlers({
    agents: ({ params, inTenant, nowMs }) => inTenant((trx) => listSiteAgents(trx, params.siteId, nowMs)),
    agentHistory: ({ params: { siteId, agentId }, query: { days }, inTenant, nowMs }) =>
      inTenant((trx) => agentHistory(trx, { siteId, agentId, days: days ?? 90, nowMs })),
    rmmOverlap: ({ params, inTenant, nowMs }) => inTenant((trx) => rmmOverlap(trx, params.siteId, nowMs)),
  });
}
