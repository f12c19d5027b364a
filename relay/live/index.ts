/** What open pages hear of changes. */
export { createLiveBus, LIVE_KINDS, type LiveBus, type LiveChange, type LiveKind } from './bus.ts';
