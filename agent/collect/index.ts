export { askTool } from './ask-tool.ts';
export { COLLECTORS } from './collectors.ts';
export { type PendingUpdates, parseAptSimulation } from './patches/apt.ts';
export { listProcesses, type ProcessEntry } from './processes.ts';
export { type RunChecksOptions, runChecks } from './run-checks.ts';
export { toolProblem } from './tool-problem.ts';
export type { CheckOutcome, CollectContext, Collector, Observation, Verdict } from './types.ts';
