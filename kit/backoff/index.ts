export { type DelayInput, jittered, nextDelayMs, RETRY_SCHEDULES, type RetrySchedule } from './delay.ts';
export { MAX_RETRY_AFTER_MS, parseRetryAfter } from './retry-after.ts';
