import { createIngestMetrics, createIngestService } from '../ingest/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function outboxHandlers({ store, clock, live, metrics }: Services) {
  const service = createIngestService({ store, clock, bus: live, metrics: createIngestMetrics(metrics) });
  return defineHandlers({ outbox: ({ box, raw }) => service.ingest(box, raw) });
}
