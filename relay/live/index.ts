/** What open pages hear of changes. */
export { createLiveBus, LIVE_KINDS, type LiveBus, type LiveChange, type LiveKind, type LiveListener } from './bus.ts';
export { createEventStream, type EventStreamOptions } from './event-stream.ts';
export { type StatusWatch, startStatusWatch } from './status-watch.ts';
export { createStreamPlaces, MAX_STREAMS_PER_SESSION, type StreamPlaces } from './stream-places.ts';
