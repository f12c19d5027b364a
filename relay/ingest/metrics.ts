import { Counter, type Registry } from 'prom-client';

export interface IngestMetrics {
  rows(lane: string, counts: { fresh: number; repeated: number }): void;
  refused(lane: string, code: string): void;
}

export function createIngestMetrics(registry: Registry): IngestMetrics {
  const rows = new Counter({
    name: 'relay_outbox_rows_total',
    help: 'Rows taken in, by lane, and whether they were new or repeated',
    labelNames: ['lane', 'result'],
    registers: [registry],
  });
  const refused = new Counter({
    name: 'relay_outbox_refused_total',
    help: 'Batches refused, by lane and error code',
    labelNames: ['lane', 'code'],
    registers: [registry],
  });
  return {
    rows(lane, { fresh, repeated }) {
      if (fresh > 0) rows.inc({ lane, result: 'new' }, fresh);
      if (repeated > 0) rows.inc({ lane, result: 'repeated' }, repeated);
    },
    refused: (lane, code) => refused.inc({ lane, code }),
  };
}
