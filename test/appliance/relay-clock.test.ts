import t from 'tap';
import { createRelayClock } from '../../appliance/lib/relay-clock.ts';

const BUILT_MS = Date.UTC(2026, 5, 1);
const TRUE_MS = Date.UTC(2026, 8, 1);

function setUp(systemMs: number) {
  const system = { wallMs: systemMs, monotonicMs: 5000 };
  const clock = createRelayClock(
    { nowMs: () => system.wallMs, monotonicMs: () => system.monotonicMs },
    { notBeforeMs: BUILT_MS },
  );
  let trusted = 0;
  clock.onTrusted(() => {
    trusted += 1;
  });
  const pass = (ms: number) => {
    system.wallMs += ms;
    system.monotonicMs += ms;
  };
  return { system, clock, pass, trusted: () => trusted };
}

t.test('a clock before the build time is set to it, and runs on from there', async (t) => {
  const { clock, pass } = setUp(10_000);
  t.equal(clock.nowMs(), BUILT_MS);
  pass(60_000);
  t.equal(clock.nowMs(), BUILT_MS + 60_000);
  t.equal(clock.systemNowMs(), 70_000, 'the clock itself is not hidden');
  t.equal(clock.quality(), 'unsynced');
});

t.test('from the signed time on it goes by that, whatever the system clock does', async (t) => {
  const { clock, pass, system, trusted } = setUp(10_000);
  clock.take(TRUE_MS, 200);
  t.equal(clock.nowMs(), TRUE_MS + 100);
  t.equal(clock.quality(), 'relay');
  t.equal(trusted(), 1);
  system.wallMs += 700 * 86_400_000;
  pass(1000);
  t.equal(clock.nowMs(), TRUE_MS + 1100);
  clock.take(TRUE_MS + 1000, 200);
  t.equal(trusted(), 1, 'it was trusted before');
});

t.test('as long as the own time can be true it does not jump', async (t) => {
  const { clock, pass } = setUp(TRUE_MS + 30);
  clock.take(TRUE_MS, 200);
  t.equal(clock.nowMs(), TRUE_MS + 30);
  pass(1000);
  clock.take(TRUE_MS + 990, 9000);
  t.equal(clock.nowMs(), TRUE_MS + 1030);
  clock.take(TRUE_MS + 5000, 20);
  t.equal(clock.nowMs(), TRUE_MS + 5010, 'it was wrong');
});

t.test('after a day without the relay it is trusted only when the kernel is and agrees', async (t) => {
  const { clock, pass, system, trusted } = setUp(TRUE_MS);
  clock.take(TRUE_MS, 10);
  pass(86_400_000);
  t.equal(clock.quality(), 'unsynced');
  clock.setSynced(true);
  t.equal(clock.quality(), 'synced');
  t.equal(trusted(), 2);
  system.wallMs -= 86_400_000;
  t.equal(clock.quality(), 'unsynced', 'what is written is not what the kernel says');
});

t.test('certificates are judged by a clock that NTP keeps, whatever the relay says', async (t) => {
  const { clock, pass, system } = setUp(TRUE_MS);
  clock.setSynced(true);
  clock.take(TRUE_MS + 60 * 86_400_000, 10);
  t.equal(clock.judgingNowMs(), TRUE_MS);
  t.equal(clock.relayAheadMs(), 60 * 86_400_000 + 5);
  pass(1000);
  t.equal(clock.judgingNowMs(), system.wallMs);
  system.wallMs += 500 * 86_400_000;
  t.equal(clock.judgingNowMs(), clock.nowMs(), 'whoever plays NTP does not make them run out');
  system.wallMs = 5000;
  t.ok(clock.judgingNowMs() >= BUILT_MS, 'never before the program was made');
  system.wallMs = TRUE_MS + 1000;
  clock.setSynced(false);
  t.equal(clock.judgingNowMs(), clock.nowMs(), 'nobody vouches for the system clock');
  t.equal(clock.relayAheadMs(), null);
  clock.setSynced(true);
  clock.take(system.wallMs + 60_000, 10);
  t.equal(clock.relayAheadMs(), null, 'within five minutes nothing is wrong');
  t.equal(clock.judgingNowMs(), clock.nowMs());
});
