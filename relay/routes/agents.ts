import { listSiteAgents } from '../sites/index.ts';
import { defineHandlers } from './context.ts';

export function agentHandlers() {
  return defineHandlers({
    agents: ({ params, inTenant, nowMs }) => inTenant((trx) => listSiteAgents(trx, params.siteId, nowMs)),
  });
}
