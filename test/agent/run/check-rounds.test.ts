import type { Report } from '@sitewarden/agent-proto/agent';
import { createLogger } from '@sitewarden/kit/log';
import { detectServiceManager } from '@sitewarden/kit/services';
import { systemClock } from '@sitewarden/kit/time';
import t, { type Test } from 'tap';
import { COLLECTORS, type Collector } from '../../../agent/collect/index.ts';
import { createStoreHealth, openQueue } from '../../../agent/queue/index.ts';
import { createCheckRounds } from '../../../agent/run/check-rounds.ts';
import { createSiteState } from '../../../agent/site/index.ts';
import { BASE_CONFIG } from '../helpers/test-appliance.ts';
import { until } from '../helpers/wait.ts';

const CHECKS = ['services', 'screenlock', 'patches'];

/** Rounds over a real queue; `patches` answers when it is told to, the others at once. */
function setUp(t: Test) {
  const queue = openQueue(t.testdir(), { maxRows: 100, maxAgeMs: 86_400_000 }, systemClock);
  const site = createSiteState(queue.site);
  let release: () => void = () => {};
  const slow = new Promise<void>((resolve) => (release = resolve));
  const collectors = COLLECTORS.filter(({ name }) => CHECKS.includes(name)).map(
    (collector): Collector => ({
      ...collector,
      collect: async () => {
        if (collector.name === 'patches') await slow;
        return [{ subject: '', facts: { probe_error: 'Look by hand.' } }];
      },
    }),
  );
  const services = detectServiceManager();
  const log = createLogger({ name: 'test', level: 'silent' });
  const rounds = createCheckRounds({ queue, site, services, clock: systemClock, log, collectors });
  t.teardown(async () => {
    release();
    await rounds.stop();
    queue.close();
  });
  const queued = () =>
    queue.reports.next(0, 32).map(({ report }: { report: Report }) => ({
      checks: report.results.map(({ check }) => check).sort(),
      orderId: report.orderId,
    }));
  return { queue, site, collectors, rounds, queued, release };
}

t.test('what is found is queued while a slow check still looks, and the order ends only with all of it', async (t) => {
  const { rounds, queued, release } = setUp(t);
  let hasEnded = false;
  const round = rounds.runNow({ checks: CHECKS, orderId: 'ord_1' }).finally(() => (hasEnded = true));
  await until('the first report', () => queued().length > 0);
  t.strictSame(queued(), [{ checks: ['screenlock', 'services'], orderId: 'ord_1' }], 'gathered into one');
  t.equal(hasEnded, false);
  release();
  t.strictSame(await round, { reports: 2, statuses: { unknown: 3 } });
  t.strictSame(queued()[1], { checks: ['patches'], orderId: 'ord_1' });
});

t.test('rounds that cannot be stored come ever more rarely, however long the last good one is ago', async (t) => {
  const { queue, site, collectors, release } = setUp(t);
  release();
  site.apply({ ...BASE_CONFIG, checks: CHECKS, checkIntervalMs: 3_600_000 });
  queue.site.writeLastCollected(Date.now() - 7_200_000);
  const errors: number[] = [];
  const log = createLogger({
    name: 'test',
    level: 'error',
    destination: { write: (line: string) => void errors.push(JSON.parse(line).failures) },
  });
  let isFull = true;
  const enqueue: typeof queue.reports.enqueue = (report) => {
    if (isFull) throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    queue.reports.enqueue(report);
  };
  const full = { ...queue, reports: { ...queue.reports, enqueue } };
  const health = createStoreHealth(systemClock);
  // A fiftieth of the window, which is 10 s at first and twice that each time.
  const rounds = createCheckRounds({
    queue: full,
    site,
    services: detectServiceManager(),
    clock: systemClock,
    log,
    health,
    collectors,
    random: () => 0.02,
  });
  t.teardown(() => rounds.stop());
  const beganMs = performance.now();
  rounds.start();
  await until('three rounds', () => errors.length >= 3);
  t.ok(performance.now() - beganMs >= 600, 'they waited 200 and 400 ms');
  t.strictSame(errors.slice(0, 3), [1, 2, 3]);
  t.match(health.fault, { code: 'SQLITE_FULL' });
  isFull = false;
  await until('a round that is stored', () => queue.reports.depth > 0);
  await until('health', () => health.fault === undefined);
});

t.test('checks that end together cost one report', async (t) => {
  const { rounds, queued, release } = setUp(t);
  release();
  t.match(await rounds.runNow({ checks: CHECKS, orderId: '' }), { reports: 1 });
  t.strictSame(queued(), [{ checks: [...CHECKS].sort(), orderId: '' }]);
});

t.test('a round that is called off queues nothing more', async (t) => {
  const { rounds, queued } = setUp(t);
  const callOff = new AbortController();
  const round = rounds.runNow({ checks: CHECKS, orderId: '', signal: callOff.signal });
  await until('the first report', () => queued().length > 0);
  callOff.abort();
  await t.rejects(round);
  t.strictSame(
    queued().map(({ checks }) => checks),
    [['screenlock', 'services']],
  );
});
