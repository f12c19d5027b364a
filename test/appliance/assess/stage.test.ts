import { AGENT_LIMITS, factsBytes } from '@sitewarden/agent-proto/agent';
import { newId } from '@sitewarden/kit/ids';
import t from 'tap';
import { createAssess } from '../../../appliance/assess/index.ts';
import { isEvidence } from '../../../appliance/evidence/draft.ts';
import {
  agents,
  changes,
  latestResult,
  openIncidents,
  recentlyResolvedIncidents,
  reports,
} from '../../../appliance/store/index.ts';
import { applianceContext, eventually, START_MS, type TestContext } from '../../helpers/appliance-context.ts';
import { checkResult, encodeReport, type ResultInput } from '../../helpers/reports.ts';
import { requireServices } from '../helpers/claimed.ts';

const MIN = 60_000;

function site(t: Parameters<typeof applianceContext>[0]) {
  const ctx = applianceContext(t);
  const source = newId('agt');
  const host = { hostname: 'front-desk', osFamily: 'linux', osVersion: 'Debian 12', agentVersion: '0.1.0' };
  agents.insert(ctx.db, { id: source, host, tier: 1, enrolledAtMs: START_MS });
  let seq = 0;
  const send = (input: Partial<ResultInput>, receivedAtMs = ctx.clock.nowMs()) => {
    const result = checkResult({ collectedAtMs: receivedAtMs, ...input });
    seq += 1;
    return reports.insert(ctx.db, { source, seq, receivedAtMs, body: encodeReport(seq, [result]) });
  };
  const key = { source, check: 'services', subject: 'cron' } as const;
  return { ctx, source, send, key, assess: createAssess(ctx) };
}

const kinds = (ctx: TestContext) => changes.since(ctx.db, 0, { limit: 1000 }).map((change) => change.kind);
const historyRows = (ctx: TestContext) =>
  ctx.db.prepare('SELECT status, first_received_at_ms AS a, last_received_at_ms AS b FROM result_history').all();

t.test('a failing result opens one incident that says what, since when, why and what next', async (t) => {
  const { ctx, source, send, assess } = site(t);
  send({});
  await assess.settle();
  const [incident, ...others] = openIncidents(ctx.db);
  t.strictSame(others, []);
  t.match(incident, {
    source,
    host: 'front-desk',
    check: 'services',
    subject: 'cron',
    state: 'open',
    severity: 'high',
    title: 'The required service cron is not running',
    reason: 'The workstation says: cron is stopped. Start it.',
    nextStep: 'Start cron on front-desk and look at its log.',
    openedAtMs: START_MS,
    resolvedAtMs: null,
  });
  t.strictSame(incident?.controls, ['HIPAA:164.308(a)(1)(ii)(D)']);
  t.strictSame(incident?.facts, { service: 'cron', manager: 'sysv', state: 'stopped' });
  t.strictSame(kinds(ctx), ['result_changed', 'incident_opened']);
});

t.test('the same result again extends its stretch of history and announces nothing', async (t) => {
  const { ctx, send, assess, key } = site(t);
  send({});
  ctx.clock.move(1000);
  send({});
  await assess.settle();
  t.strictSame(historyRows(ctx), [{ status: 'fail', a: START_MS, b: START_MS + 1000 }]);
  t.equal(kinds(ctx).filter((kind) => kind === 'result_changed').length, 1);
  t.equal(latestResult(ctx.db, key)?.sinceMs, START_MS);
  t.equal(latestResult(ctx.db, key)?.receivedAtMs, START_MS + 1000);
});

t.test('an unchanged result is announced once in each quarter of an hour', async (t) => {
  const { ctx, send, assess } = site(t);
  for (let i = 0; i < 60; i++) {
    send({ status: 'pass', reason: 'cron is running.' });
    ctx.clock.move(MIN);
  }
  await assess.settle();
  const announced = kinds(ctx).filter((kind) => kind === 'result_changed').length;
  t.ok(announced === 4 || announced === 5, `${announced} announcements in an hour`);
});

t.test('pass resolves the incident; unknown neither opens nor resolves one', async (t) => {
  const { ctx, send, assess } = site(t);
  send({ status: 'unknown' });
  await assess.settle();
  t.strictSame(openIncidents(ctx.db), []);
  send({});
  ctx.clock.move(MIN);
  send({ status: 'unknown' });
  await assess.settle();
  t.equal(openIncidents(ctx.db).length, 1);
  ctx.clock.move(MIN);
  send({ status: 'pass', actual: 'running', reason: 'cron is running.' });
  await assess.settle();
  t.strictSame(openIncidents(ctx.db), []);
  t.match(recentlyResolvedIncidents(ctx.db, 5), [{ state: 'resolved', resolvedAtMs: START_MS + 2 * MIN }]);
  t.equal(kinds(ctx).at(-1), 'incident_resolved');
});

t.test('not_applicable resolves too', async (t) => {
  const { ctx, send, assess } = site(t);
  send({});
  send({ status: 'not_applicable', reason: 'Not required here.' });
  await assess.settle();
  t.strictSame(openIncidents(ctx.db), []);
});

t.test('a worse reason changes the incident, the same one does not', async (t) => {
  const { ctx, send, assess } = site(t);
  send({});
  send({});
  send({
    reason: 'cron has failed. Ring 555-0100.',
    severity: 'critical',
    facts: { service: 'cron', state: 'failed' },
  });
  await assess.settle();
  t.match(openIncidents(ctx.db), [
    { severity: 'critical', nextStep: 'Look at the log of cron on front-desk, then restart it.' },
  ]);
  t.equal(kinds(ctx).filter((kind) => kind === 'incident_changed').length, 1);
});

t.test(
  'a backlog is assessed in order: what failed and came back meanwhile is an incident with its own times',
  async (t) => {
    const { ctx, send, assess } = site(t);
    const day = 24 * 60 * MIN;
    const now = ctx.clock.nowMs();
    send({ collectedAtMs: now - 5 * day });
    send({ collectedAtMs: now - 4 * day, status: 'pass', reason: 'cron is running.' });
    await assess.settle();
    t.strictSame(openIncidents(ctx.db), []);
    t.match(recentlyResolvedIncidents(ctx.db, 5), [{ openedAtMs: now - 5 * day, resolvedAtMs: now - 4 * day }]);
  },
);

t.test('a result older than the latest changes nothing', async (t) => {
  const { ctx, send, assess, key } = site(t);
  send({ status: 'pass', reason: 'cron is running.', collectedAtMs: START_MS });
  send({ status: 'fail', collectedAtMs: START_MS - 60 * MIN });
  await assess.settle();
  t.equal(latestResult(ctx.db, key)?.status, 'pass');
  t.strictSame(openIncidents(ctx.db), []);
});

t.test('an agent whose clock was set back is believed again after ten minutes', async (t) => {
  const { ctx, send, assess, key } = site(t);
  send({ status: 'pass', reason: 'cron is running.' });
  const day = 24 * 60 * MIN;
  for (let i = 1; i <= 3; i++) {
    ctx.clock.move(5 * MIN);
    send({ status: 'fail', collectedAtMs: ctx.clock.nowMs() - day });
  }
  await assess.settle();
  t.equal(latestResult(ctx.db, key)?.status, 'fail');
  t.equal(latestResult(ctx.db, key)?.sinceMs, START_MS + 10 * MIN);
});

t.test('times far off are taken as the time of receipt', async (t) => {
  for (const collectedAtMs of [0, -5, START_MS + 400 * 24 * 60 * MIN, Number.MAX_SAFE_INTEGER]) {
    const { ctx, send, assess, key } = site(t);
    send({ collectedAtMs });
    await assess.settle();
    t.equal(latestResult(ctx.db, key)?.collectedAtMs, START_MS, String(collectedAtMs));
    t.equal(openIncidents(ctx.db)[0]?.openedAtMs, START_MS);
  }
});

t.test('a report nobody can read, an unknown check and an unknown status hold up nothing', async (t) => {
  const { ctx, source, send, assess } = site(t);
  reports.insert(ctx.db, { source, seq: 1000, receivedAtMs: START_MS, body: Buffer.from('not a report \xff') });
  const strange = { ...checkResult({ collectedAtMs: START_MS }), status: 77 as never };
  const body = encodeReport(1001, [strange, checkResult({ check: 'teapot', collectedAtMs: START_MS })]);
  reports.insert(ctx.db, { source, seq: 1001, receivedAtMs: START_MS, body });
  send({ subject: 'sshd' });
  await assess.settle();
  t.match(openIncidents(ctx.db), [{ subject: 'sshd' }]);
});

t.test('facts outside the closed set of the check do not pass', async (t) => {
  const { ctx, send, assess, key } = site(t);
  send({ facts: { service: 'cron', patient_name: 'x', state: 'stopped' } });
  await assess.settle();
  t.strictSame(latestResult(ctx.db, key)?.facts, { service: 'cron', state: 'stopped' });
});

t.test('what is said again without a change counts only as long as it is asked for', async (t) => {
  const { ctx, send, assess, key } = site(t);
  const say = async (atMs: number) => {
    send({ status: 'pass', collectedAtMs: atMs });
    await assess.settle();
    return latestResult(ctx.db, key)?.collectedAtMs;
  };
  requireServices(ctx, [key.subject]);
  const first = ctx.clock.nowMs();
  t.equal(await say(first - 3), first - 3);
  t.equal(await say(first - 2), first - 2, 'seen again');
  requireServices(ctx, ['another']);
  t.equal(await say(first - 1), first - 2, 'left out');
  t.match(await ctx.metrics.registry.metrics(), /results_ignored_total\{why="not_required"\} 1/);
});

const openSubjects = (ctx: TestContext) =>
  openIncidents(ctx.db)
    .map(({ subject }) => subject)
    .sort();

t.test('services the site does not require are left out, and counted', async (t) => {
  const { ctx, send, assess } = site(t);
  requireServices(ctx, ['cron']);
  for (const subject of ['cron', 'sshd', 'made-up', '']) send({ subject });
  await assess.settle();
  t.strictSame(openSubjects(ctx), ['cron']);
  t.match(await ctx.metrics.registry.metrics(), /results_ignored_total\{why="not_required"\} 3/);
});

t.test(
  'an agent cannot open more incidents than it can have subjects; one more says so until it is over',
  async (t) => {
    const { ctx, send, assess } = site(t);
    for (let i = 0; i < 300; i += 1) send({ subject: `made-up-${i}` });
    for (let i = 0; i < 300; i += 1) send({ check: 'bitlocker', subject: `disk-${i}`, facts: {} });
    await assess.settle();
    t.equal(openIncidents(ctx.db).length, 64 + 1 + 16 + 1);
    const said = () =>
      openIncidents(ctx.db)
        .filter(({ subject }) => subject === '(more subjects)')
        .sort((a, b) => (a.check < b.check ? -1 : 1));
    t.match(said(), [
      { nextStep: /genuine one, and enrol it again\.$/, check: 'bitlocker' },
      { title: 'This workstation reports on more than it can have', check: 'services', severity: 'medium' },
    ]);
    t.equal(changes.since(ctx.db, 0, { limit: 1000 }).length, 2 * 82);
    send({ subject: 'made-up-0', status: 'pass' });
    await assess.settle();
    t.equal(said().length, 2, 'a pause of a moment is not its end');
    ctx.clock.move(61 * MIN);
    send({ subject: 'made-up-0', status: 'pass' });
    await assess.settle();
    t.match(said(), [{ check: 'bitlocker' }]);
    const again = createAssess(ctx);
    send({ subject: 'made-up-400' });
    await again.settle();
    t.equal(said().length, 2, 'counted from the rows after a restart');
  },
);

const evidence = (ctx: TestContext) =>
  changes.since(ctx.db, 0, { limit: 100_000 }).filter(({ kind }) => isEvidence(kind)).length;

t.test('what fails and passes all the time is one incident that stays until it is calm', async (t) => {
  const { ctx, send, assess, source } = site(t);
  const bad = { check: 'firewall', subject: '', facts: {} } as const;
  const good = { ...bad, status: 'pass', reason: 'The firewall is on.' } as const;
  for (let i = 0; i < 500; i++) {
    send(bad);
    send(good);
    if (i % 50 === 0) await assess.settle();
    ctx.clock.move(1000);
  }
  await assess.settle();
  t.equal(evidence(ctx), 7, 'four times opened, three times resolved');
  const [incident] = openIncidents(ctx.db);
  t.match(incident, {
    source,
    state: 'open',
    reason: /keeps failing and passing: it ended 3 times within an hour/,
    nextStep: /^Find what switches this on and off on front-desk/,
  });
  const restarted = createAssess(ctx);
  for (let minute = 0; minute < 59; minute++) {
    ctx.clock.move(MIN);
    send(good);
  }
  await restarted.settle();
  t.equal(openIncidents(ctx.db).length, 1, 'not calm for long enough, and a restart forgets nothing');
  ctx.clock.move(2 * MIN);
  send(good);
  await restarted.settle();
  t.match(openIncidents(ctx.db), []);
  t.equal(evidence(ctx), 8);
});

t.test('reports that switch many subjects again and again make a bounded number of incidents', async (t) => {
  const { ctx, source, assess } = site(t);
  let seq = 1_000_000;
  const checks = ['bitlocker', 'defender', 'firewall', 'patches', 'screenlock'];
  for (let round = 0; round < 100; round++) {
    // Stamps of a made-up month must not stretch the hour.
    const collectedAtMs = START_MS - 30 * 86_400_000 + round * 7_200_000;
    const status = round % 2 === 0 ? 'fail' : 'pass';
    const results = checks.flatMap((check) =>
      Array.from({ length: 15 }, (_, i) => checkResult({ check, subject: `s${i}`, status, facts: {}, collectedAtMs })),
    );
    seq += 1;
    reports.insert(ctx.db, { source, seq, receivedAtMs: START_MS, body: encodeReport(seq, results) });
  }
  await assess.settle();
  t.equal(openIncidents(ctx.db).length, 75);
  t.equal(recentlyResolvedIncidents(ctx.db, 10_000).length, 75 * 3);
  t.equal(evidence(ctx), 75 * 7);
});

t.test('a service that stops twice in an hour and is repaired twice has two incidents', async (t) => {
  const { ctx, send, assess } = site(t);
  for (let i = 0; i < 2; i++) {
    send({});
    await assess.settle();
    ctx.clock.move(MIN);
    send({ status: 'pass', reason: 'cron is running.' });
    await assess.settle();
    ctx.clock.move(20 * MIN);
  }
  t.strictSame(openIncidents(ctx.db), []);
  t.equal(recentlyResolvedIncidents(ctx.db, 10).length, 2);
});

t.test('of facts the box has no room for it keeps what fits', async (t) => {
  const { ctx, send, assess, key } = site(t);
  const list = Array(64).fill('x'.repeat(1024));
  send({ facts: { service: 'cron', state: 'stopped', detail: list, probe_error: list } });
  await assess.settle();
  const facts = latestResult(ctx.db, key)!.facts;
  t.match(facts, { service: 'cron', state: 'stopped' });
  t.equal((facts.detail as string[]).length, 15);
  t.ok(factsBytes(facts) <= AGENT_LIMITS.maxFactsBytes);
});

t.test('an agent that was removed leaves no open incident behind, and opens no new one', async (t) => {
  const { ctx, source, send, assess } = site(t);
  send({});
  await assess.settle();
  assess.start();
  t.teardown(() => assess.stop());
  agents.remove(ctx.db, { id: source, atMs: START_MS });
  ctx.signals.emit('agentRemoved', { agentId: source });
  await eventually('the incident is resolved', () => (openIncidents(ctx.db).length === 0 ? true : undefined));
  send({ subject: 'sshd' });
  ctx.signals.emit('report');
  await eventually('the report is assessed', () =>
    latestResult(ctx.db, { source, check: 'services', subject: 'sshd' }),
  );
  t.strictSame(openIncidents(ctx.db), []);
});

t.test('killed between two turns, nothing is assessed twice and nothing is left out', async (t) => {
  const { ctx, send } = site(t);
  for (let i = 0; i < 50; i++) send({ subject: `s${i}` });
  let failures = 3;
  const failing: TestContext = Object.create(ctx, {
    clock: {
      value: {
        ...ctx.clock,
        nowMs: () => {
          if (failures > 0 && Math.random() < 0.05) {
            failures -= 1;
            throw new Error('killed');
          }
          return ctx.clock.nowMs();
        },
      },
    },
  });
  for (;;) {
    try {
      await createAssess(failing).settle();
      break;
    } catch {
      // As after a restart: a new stage on the same rows.
    }
  }
  t.equal(openIncidents(ctx.db).length, 50);
  t.equal(kinds(ctx).filter((kind) => kind === 'incident_opened').length, 50);
});
