/** Two boxes with one identity: which machines they are, and what tells them apart. */
export { type Difference, differencesOf } from './differences.ts';
export { createSightingBook, type SightingBook } from './sightings.ts';
export { type QuarantineView, quarantineOf } from './view.ts';
