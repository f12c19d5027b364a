export { GUARDED_FLAG, guardUpdate } from './guard.ts';
export { publisherKey, targetOf } from './publisher.ts';
export { selfCheck } from './self-check.ts';
export { CHECK_WORDS } from './try-program.ts';
export { createUpdater, type UpdateOutcome, type Updater, type UpdaterOptions, type UpdateWish } from './updater.ts';
export { type UpdateEnd, type UpdateWatch, watchUpdate } from './watch.ts';
