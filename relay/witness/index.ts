/** The relay as C2SP witness and mirror of the boxes' evidence logs. */
export { type CosignedHead, judgeCheckpoint, type Submitted, type WitnessVerdict } from './judge.ts';
export { createWitnessMetrics, type WitnessMetrics } from './metrics.ts';
export { createWitnessService, type WitnessDeps, type WitnessService } from './service.ts';
export { storedInclusion, storedRoot } from './stored-tree.ts';
