import { readTimeline } from '../sites/index.ts';
import { defineHandlers } from './context.ts';

export function timelineHandlers() {
  return defineHandlers({
    timeline: ({ params, inTenant, nowMs }) => inTenant((trx) => readTimeline(trx, params.siteId, nowMs)),
  });
}
