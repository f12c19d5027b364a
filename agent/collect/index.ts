export { COLLECTORS } from './collectors.ts';
export { listProcesses, type ProcessEntry } from './processes.ts';
export { type RunChecksOptions, runChecks } from './run-checks.ts';
export type { CheckOutcome, CollectContext, Collector, Observation, Verdict } from './types.ts';
