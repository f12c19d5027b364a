/** How well boxes were heard, and how the checks of workstations went: rolled up and kept for a while. */
export { keepChanges } from './keep-changes.ts';
export { KEEP_CHANGES_MS, KEEP_DAYS_MS, KEEP_HOURS_MS, rollUp } from './roll-up.ts';
export { type CheckTimeline, SPAN_STATUSES, type StatusSpan, timelinesOf } from './timeline.ts';
export { type Availability, availabilityOf } from './view.ts';
