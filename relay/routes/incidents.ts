import { listSiteIncidents } from '../sites/index.ts';
import { defineHandlers } from './context.ts';

export function incidentHandlers() {
  return defineHandlers({
    incidents: ({ params, query, inTenant, nowMs }) =>
      inTenant((trx) => listSiteIncidents(trx, params.siteId, { ...query, nowMs })),
  });
}
