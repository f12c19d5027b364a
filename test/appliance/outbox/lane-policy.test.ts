import t from 'tap';
import { IDLE_POLL_MS, nextLookMs } from '../../../appliance/outbox/lane-policy.ts';

t.test(
  'a queue that came due between the look and the timer is looked at in a millisecond, not in half a minute',
  async (t) => {
    const notBeforeMs = [0, 5000.4, 0];
    t.equal(nextLookMs({ notBeforeMs, lookedAtMs: 5000.1, nowMs: 5000.6 }), 1);
    t.equal(nextLookMs({ notBeforeMs, lookedAtMs: 5000.1, nowMs: 5000.4 }), 1);
  },
);

t.test('a delay is never rounded down: a timer of 4999 ms would fire before 4999.3 ms are over', async (t) => {
  t.equal(nextLookMs({ notBeforeMs: [5000.3], lookedAtMs: 0, nowMs: 1 }), 5000);
});

t.test('the first that waits counts; those that were tried and found empty do not', async (t) => {
  t.equal(nextLookMs({ notBeforeMs: [9000, 7000], lookedAtMs: 1000, nowMs: 1001 }), 5999);
  t.equal(nextLookMs({ notBeforeMs: [0, 900], lookedAtMs: 1000, nowMs: 1001 }), IDLE_POLL_MS);
  t.equal(nextLookMs({ notBeforeMs: [500_000], lookedAtMs: 1000, nowMs: 1001 }), IDLE_POLL_MS);
});
