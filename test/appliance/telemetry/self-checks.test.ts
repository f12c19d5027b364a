import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPidfileManager, type ServiceManager } from '@sitewarden/kit/services';
import t from 'tap';
import { createAssess } from '../../../appliance/assess/index.ts';
import { openIncidents, relayOrders, reports, resultsOfSource } from '../../../appliance/store/index.ts';
import { createSelfChecks } from '../../../appliance/telemetry/index.ts';
import { applianceContext, eventually } from '../../helpers/appliance-context.ts';

function box(t: Parameters<typeof applianceContext>[0], required: readonly string[], services?: ServiceManager) {
  const ctx = applianceContext(t, `box: { requiredServices: ${JSON.stringify(required)} }\n`);
  const dir = join(ctx.config.dataDir, 'services');
  mkdirSync(dir);
  for (const name of required) {
    const declaration = { command: ['sleep', '600'], pidFile: join(dir, `${name}.pid`) };
    writeFileSync(join(dir, `${name}.json`), JSON.stringify(declaration));
  }
  const manager = services ?? createPidfileManager({ dir });
  t.teardown(() => Promise.all(required.map((name) => manager.stop(name).catch(() => {}))));
  const checks = createSelfChecks(ctx, { services: manager, everyMs: 3_600_000 });
  const assess = createAssess(ctx);
  const look = async () => {
    await checks.runOnce();
    await assess.settle();
  };
  const rows = () => reports.since(ctx.db, 0, 100).map((row) => ({ ...row, report: reports.decodeReport(row) }));
  return { ctx, manager, checks, assess, look, rows };
}

t.test('the services of the box go the way of every report: running passes, stopped is an incident', async (t) => {
  const { ctx, manager, look, rows } = box(t, ['alpha', 'beta']);
  await manager.start('alpha');
  await look();
  t.match(resultsOfSource(ctx.db, 'box'), [
    { subject: 'alpha', status: 'pass', facts: { service: 'alpha', manager: 'pidfile', state: 'running' } },
    { subject: 'beta', status: 'fail', reason: 'beta is stopped. Start it on the box.' },
  ]);
  t.match(openIncidents(ctx.db), [
    {
      source: 'box',
      subject: 'beta',
      reason: 'beta is stopped. Start it on the box.',
      nextStep: /^Start beta on .* and look at its log\.$/,
    },
  ]);
  await look();
  t.strictSame(
    rows().map((row) => [row.source, row.seq]),
    [
      ['box', 1],
      ['box', 2],
    ],
  );
});

t.test('a service manager that fails gives unknown, never pass', async (t) => {
  const broken: ServiceManager = {
    kind: 'systemd',
    status: () => Promise.reject(new Error('bus is down')),
    start: () => Promise.reject(new Error()),
    restart: () => Promise.reject(new Error()),
    stop: () => Promise.reject(new Error()),
  };
  const { ctx, look } = box(t, ['alpha'], broken);
  await look();
  t.match(resultsOfSource(ctx.db, 'box'), [{ status: 'unknown', facts: { probe_error: /could not be asked/ } }]);
});

t.test('a service that is not required any more ends its incident', async (t) => {
  const { ctx, look } = box(t, ['alpha', 'beta']);
  await look();
  t.equal(openIncidents(ctx.db).length, 2);
  ctx.config.box.requiredServices.pop();
  await look();
  t.match(openIncidents(ctx.db), [{ subject: 'alpha' }]);
  ctx.config.box.requiredServices.pop();
  await look();
  t.strictSame(openIncidents(ctx.db), []);
  t.match(resultsOfSource(ctx.db, 'box'), [{ subject: '', status: 'not_applicable' }, {}, {}]);
});

t.test('it looks at start, and at once when asked; the answer names the order', async (t) => {
  const { ctx, checks, rows } = box(t, []);
  checks.start();
  t.teardown(() => checks.stop());
  await eventually('the first look', () => (rows().length >= 1 ? true : undefined));
  let seq = 0;
  const give = (orderId: string, checks: readonly string[], boxCheck: 'wanted' | null) => {
    seq += 1;
    const times = { expiresAtMs: ctx.clock.nowMs() + 60_000, receivedAtMs: 1, changedAtMs: 1 };
    const order = { orderId, seq, action: 'run_check', params: {}, requestedBy: 'Ada', state: 'started' } as const;
    relayOrders.insert(ctx.db, { ...order, ...times, code: null, detail: '', boxCheck });
    ctx.signals.emit('selfCheck', { checks });
  };
  give('ord_other', ['patches'], null);
  give('ord_one', [], 'wanted');
  give('ord_two', ['services'], 'wanted');
  const answers = () => rows().flatMap((row) => (row.report.orderId === '' ? [] : [row.report.orderId]));
  await eventually('both answers', () => (answers().length >= 2 ? true : undefined));
  t.strictSame(answers(), ['ord_one', 'ord_two']);
});

t.test('a look counts from before it began', async (t) => {
  let release: () => void = () => {};
  const slow: ServiceManager = {
    kind: 'systemd',
    status: () => new Promise((resolve) => (release = () => resolve({ state: 'running', detail: '' }))),
    start: () => Promise.resolve(),
    restart: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
  const { ctx, checks, rows } = box(t, ['alpha'], slow);
  const beganMs = ctx.clock.nowMs();
  const looked = checks.runOnce();
  ctx.clock.move(5000);
  release();
  await looked;
  t.equal(rows()[0]?.report.results[0]?.collectedAtMs, beganMs);
});
