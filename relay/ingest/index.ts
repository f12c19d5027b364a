/** The outbox's other end: rows of four lanes, each with its effect exactly once. */
export { noteFault, PASSING_FAULTS } from './faults.ts';
export { createIngestMetrics, type IngestMetrics } from './metrics.ts';
export { createIngestService, type IngestDeps, type IngestService, type Positions } from './service.ts';
