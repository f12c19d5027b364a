import { jittered, MAX_RETRY_AFTER_MS, nextDelayMs, parseRetryAfter, RETRY_SCHEDULES } from '@sitewarden/kit/backoff';
import fc from 'fast-check';
import t from 'tap';

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);
const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const schedule = fc.record({
  baseMs: fc.integer({ min: 1, max: 10_000 }),
  capMs: fc.integer({ min: 1, max: 600_000 }),
});

t.test('a delay lies between the floor and the floor plus the capped window', async () => {
  fc.assert(
    fc.property(schedule, fc.nat(5000), unit, fc.nat(3_600_000), (plan, attempt, random, floorMs) => {
      const delayMs = nextDelayMs({ ...plan, attempt, random: () => random, floorMs });
      const windowMs = Math.min(plan.capMs, plan.baseMs * 2 ** Math.min(attempt, 60));
      return Number.isInteger(delayMs) && delayMs >= floorMs && delayMs <= floorMs + windowMs;
    }),
  );
});

t.test('without a floor it is the random share of the capped window', async () => {
  fc.assert(
    fc.property(schedule, fc.nat(40), unit, (plan, attempt, random) => {
      const windowMs = Math.min(plan.capMs, plan.baseMs * 2 ** attempt);
      return nextDelayMs({ ...plan, attempt, random: () => random }) === Math.floor(random * windowMs);
    }),
  );
});

t.test('the window never shrinks from one attempt to the next', async () => {
  fc.assert(
    fc.property(schedule, fc.nat(200), unit, (plan, attempt, random) => {
      const at = (n: number) => nextDelayMs({ ...plan, attempt: n, random: () => random });
      return at(attempt + 1) >= at(attempt);
    }),
  );
});

t.test('a fleet at the cap spreads evenly over it instead of gathering at its end', async (t) => {
  let seed = 42;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const delayMs = nextDelayMs({ ...RETRY_SCHEDULES.relay, attempt: 30, random });
    buckets[Math.floor((delayMs / RETRY_SCHEDULES.relay.capMs) * 10)]!++;
  }
  for (const count of buckets) t.ok(count > 850 && count < 1150, `${count} of 10000 in a tenth`);
});

t.test('Retry-After in seconds is read and capped at an hour', async (t) => {
  t.equal(parseRetryAfter('120', NOW), 120_000);
  t.equal(parseRetryAfter(' 0 ', NOW), 0);
  t.equal(parseRetryAfter('3601', NOW), MAX_RETRY_AFTER_MS);
  t.equal(parseRetryAfter('9'.repeat(400), NOW), MAX_RETRY_AFTER_MS);
});

t.test('Retry-After as any of the three HTTP dates is read and capped at an hour', async (t) => {
  t.equal(parseRetryAfter('Sun, 22 Nov 2026 12:01:30 GMT', NOW), 90_000);
  t.equal(parseRetryAfter('Sunday, 22-Nov-26 12:01:30 GMT', NOW), 90_000);
  t.equal(parseRetryAfter('Sun Nov 22 12:01:30 2026', NOW), 90_000);
  t.equal(parseRetryAfter('Sun, 22 Nov 2026 11:00:00 GMT', NOW), 0, 'in the past');
  t.equal(parseRetryAfter('Sun, 22 Nov 2099 11:00:00 GMT', NOW), MAX_RETRY_AFTER_MS);
});

t.test('anything else is no Retry-After', async (t) => {
  for (const text of [null, undefined, '', '-1', '1.5', '1e3', 'soon', '2026-11-22', '0x10', 'Foo, bar']) {
    t.equal(parseRetryAfter(text, NOW), undefined, String(text));
  }
  fc.assert(
    fc.property(fc.string(), fc.integer(), (text, now) => {
      const delayMs = parseRetryAfter(text, now);
      return delayMs === undefined || (delayMs >= 0 && delayMs <= MAX_RETRY_AFTER_MS);
    }),
  );
});

t.test('the heartbeat moves by at most its fraction, both ways', async (t) => {
  t.equal(
    jittered(60_000, 0.1, () => 0),
    54_000,
  );
  t.equal(
    jittered(60_000, 0.1, () => 0.5),
    60_000,
  );
  fc.assert(
    fc.property(unit, (random) => {
      const ms = jittered(60_000, 0.1, () => random);
      return ms >= 54_000 && ms <= 66_000;
    }),
  );
});
