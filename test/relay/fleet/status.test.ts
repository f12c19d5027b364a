import fc from 'fast-check';
import t from 'tap';
import { agentStatus, fleetStatus, nextFlipAtMs, STATUS_LIMITS } from '../../../relay/fleet/index.ts';

const MIN = 60_000;
const T0 = 1_800_000_000_000;
const at = (ageMs: number) => fleetStatus({ lastCheckinAtMs: T0, nowMs: T0 + ageMs });

t.test('the limits are exactly 5 and 15 minutes', (t) => {
  t.same(STATUS_LIMITS, { staleFromMs: 300_000, staleThroughMs: 900_000 });
  const values = [0, 299_999, 300_000, 900_000, 900_001].map((ageMs) => at(ageMs).value);
  t.same(values, ['online', 'online', 'stale', 'stale', 'offline']);
  t.end();
});

t.test('never heard of is pending, with and without a box', (t) => {
  const claimed = fleetStatus({ lastCheckinAtMs: null, nowMs: T0 });
  t.match(claimed, { value: 'pending', ageMs: null, sinceMs: null, reason: /has not checked in/ });
  t.match(fleetStatus({ lastCheckinAtMs: null, nowMs: T0, hasBox: false }).reason, /no box watches/);
  t.end();
});

t.test('a status carries its age, its beginning and a sentence', (t) => {
  t.same(at(7 * MIN + 30_000), {
    value: 'stale',
    ageMs: 450_000,
    sinceMs: T0 + 5 * MIN,
    reason: 'stale: last check-in 7 min ago',
  });
  t.match(at(3 * 60 * MIN), { value: 'offline', sinceMs: T0 + 15 * MIN, reason: 'offline: last check-in 3 h ago' });
  t.equal(at(1000).reason, 'online: last check-in 1 s ago');
  t.end();
});

t.test('the value depends on the age alone, in one direction', (t) => {
  const order = ['online', 'stale', 'offline'];
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 45 }), fc.nat(2_000_000), fc.nat(2_000_000), (base, a, b) => {
      const [young, old] = [Math.min(a, b), Math.max(a, b)];
      const of = (ageMs: number) => fleetStatus({ lastCheckinAtMs: base, nowMs: base + ageMs });
      const expected = (ageMs: number) => (ageMs < 300_000 ? 'online' : ageMs <= 900_000 ? 'stale' : 'offline');
      return (
        of(young).value === expected(young) &&
        order.indexOf(of(young).value) <= order.indexOf(of(old).value) &&
        of(old).ageMs === old &&
        of(old).reason.startsWith(`${of(old).value}: `)
      );
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('a receive time in the future is never an old box that looks online for long', (t) => {
  const ahead = (ms: number) => fleetStatus({ lastCheckinAtMs: T0 + ms, nowMs: T0 });
  t.match(ahead(1000), { value: 'online', ageMs: 0 });
  t.match(ahead(5 * MIN + 1), { value: 'stale', ageMs: 0, reason: /clock was set back/ });
  t.end();
});

t.test('the next flip is when the value really changes', (t) => {
  fc.assert(
    fc.property(fc.nat(1_000_000), (ageMs) => {
      const nowMs = T0 + ageMs;
      const flipAtMs = nextFlipAtMs(T0, nowMs);
      const valueAt = (ms: number) => fleetStatus({ lastCheckinAtMs: T0, nowMs: ms }).value;
      if (flipAtMs === null) return valueAt(nowMs) === 'offline';
      return flipAtMs > nowMs && valueAt(flipAtMs - 1) === valueAt(nowMs) && valueAt(flipAtMs) !== valueAt(nowMs);
    }),
    { numRuns: 1000 },
  );
  t.equal(nextFlipAtMs(null, T0), null);
  t.end();
});

const boxAt = (ageMs: number) => at(ageMs);
const agent = (over: Partial<Parameters<typeof agentStatus>[0]> = {}) =>
  agentStatus({
    box: fleetStatus({ lastCheckinAtMs: T0 - 10_000, nowMs: T0 }),
    connected: true,
    lastHeartbeatAtMs: T0 - 30_000,
    clockOffsetMs: 0,
    receivedAtMs: T0 - 20_000,
    nowMs: T0,
    ...over,
  });

t.test('an agent is online with a fresh heartbeat on a fresh box', (t) => {
  t.same(agent(), { value: 'online', ageMs: 30_000, sinceMs: null, reason: 'online: last heartbeat 30 s ago' });
  t.end();
});

t.test('an agent is not online when the box is not, has no heartbeat, or it left the box', (t) => {
  const late = T0 + 6 * MIN;
  const silent = agent({ box: fleetStatus({ lastCheckinAtMs: T0, nowMs: late }), nowMs: late, receivedAtMs: late });
  t.match(silent, { value: 'stale' });
  t.match(agent({ box: boxAt(6 * MIN) }), { value: 'stale', reason: /the box itself is stale: last check-in 6 min/ });
  t.match(agent({ box: boxAt(16 * MIN) }), { value: 'offline' });
  t.match(agent({ box: fleetStatus({ lastCheckinAtMs: null, nowMs: T0 }) }), { value: 'offline' });
  t.match(agent({ lastHeartbeatAtMs: null }), { value: 'pending', ageMs: null });
  t.match(agent({ connected: false }), { value: 'stale', reason: /not connected/ });
  t.end();
});

t.test('a clock of the box that is a day off moves no agent status', (t) => {
  const day = 86_400_000;
  for (const clockOffsetMs of [day, -day]) {
    t.same(agent({ clockOffsetMs, lastHeartbeatAtMs: T0 - 30_000 + clockOffsetMs }), agent());
  }
  const forged = agent({ lastHeartbeatAtMs: T0 + day, receivedAtMs: T0 - 6 * MIN });
  t.match(forged, { value: 'stale', ageMs: 6 * MIN }, 'a heartbeat is never newer than the row that told of it');
  t.end();
});

t.test('whatever the box says, an agent is online only on a box that is', (t) => {
  fc.assert(
    fc.property(
      fc.record({
        boxAgeMs: fc.nat(2_000_000),
        connected: fc.boolean(),
        lastHeartbeatAtMs: fc.option(fc.integer({ min: 0, max: T0 * 2 })),
        clockOffsetMs: fc.integer({ min: -T0, max: T0 }),
        rowAgeMs: fc.nat(2_000_000),
      }),
      ({ boxAgeMs, rowAgeMs, ...rest }) => {
        const box = fleetStatus({ lastCheckinAtMs: T0 - boxAgeMs, nowMs: T0 });
        const status = agentStatus({ ...rest, box, receivedAtMs: T0 - rowAgeMs, nowMs: T0 });
        const isFresh = box.value === 'online' && rest.connected && rowAgeMs < 300_000;
        return status.value !== 'online' || isFresh;
      },
    ),
    { numRuns: 2000 },
  );
  t.end();
});
