/** How well boxes were heard: check-ins are rolled up into hours and days. */
export { KEEP_DAYS_MS, KEEP_HOURS_MS, rollUp } from './roll-up.ts';
export { type Availability, availabilityOf } from './view.ts';
