import { listSiteEvidence, proveEntry } from '../sites/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function evidenceHandlers({ keys }: Services) {
  return defineHandlers({
    evidence: ({ params, query, inTenant, nowMs }) =>
      inTenant((trx) => listSiteEvidence(trx, params.siteId, { ...query, nowMs })),
    evidenceEntry: ({ params, query, inTenant }) => inTenant((trx) => proveEntry(trx, keys, { ...params, ...query })),
  });
}
