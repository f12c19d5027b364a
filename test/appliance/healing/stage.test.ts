import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kitErrors } from '@sitewarden/kit/errors';
import { newId } from '@sitewarden/kit/ids';
import { createPidfileManager, type ServiceManager } from '@sitewarden/kit/services';
import t from 'tap';
import { createAssess } from '../../../appliance/assess/index.ts';
import { createHealing } from '../../../appliance/healing/index.ts';
import { BUILTIN_RULES_DIR, createRuleSet, loadRuleFolder } from '../../../appliance/rules/index.ts';
import {
  activeActionRuns,
  agentOrders,
  agents,
  changes,
  openIncidents,
  readCursor,
  recentActionRuns,
  reports,
} from '../../../appliance/store/index.ts';
import { applianceContext, START_MS } from '../../helpers/appliance-context.ts';
import { checkResult, encodeReport, type ResultInput } from '../../helpers/reports.ts';
import { restartRule } from '../../helpers/rules.ts';

const SECOND = 1000;
const unused: ServiceManager = {
  kind: 'combined',
  status: () => Promise.reject(new Error('the box has no service in this test')),
  start: () => Promise.reject(new Error()),
  restart: () => Promise.reject(new Error()),
  stop: () => Promise.reject(new Error()),
};

/** A site with one agent whose part the test plays: what intake would write, it writes. */
function site(t: Parameters<typeof applianceContext>[0], tier: 0 | 1 | 2 = 1, rules = createRuleSet([restartRule()])) {
  const ctx = applianceContext(t);
  const source = newId('agt');
  const host = { hostname: 'front-desk', osFamily: 'linux', osVersion: 'Debian 12', agentVersion: '0.1.0' };
  agents.insert(ctx.db, { id: source, host, tier, enrolledAtMs: START_MS });
  agents.setConnected(ctx.db, { id: source, connected: true, atMs: START_MS });
  const assess = createAssess(ctx);
  const healing = createHealing(ctx, { rules, services: unused });
  let seq = 0;
  return {
    ctx,
    source,
    async report(input: Partial<ResultInput> = {}, orderId = '') {
      seq += 1;
      const result = checkResult({ collectedAtMs: ctx.clock.nowMs(), ...input });
      const body = encodeReport(seq, [result], orderId);
      reports.insert(ctx.db, { source, seq, receivedAtMs: ctx.clock.nowMs(), orderId, body });
      await assess.settle();
      await healing.settle();
    },
    async pass(orderId = '') {
      await this.report({ status: 'pass', actual: 'running', reason: 'cron is running.' }, orderId);
    },
    async look(afterMs = 0) {
      ctx.clock.move(afterMs);
      await healing.settle();
    },
    orders: () => agentOrders.queuedFor(ctx.db, source, Number.MAX_SAFE_INTEGER),
    async answer(action: string, change: { state: 'done' | 'failed' | 'refused'; code?: string }) {
      const order = agentOrders.queuedFor(ctx.db, source, Number.MAX_SAFE_INTEGER).find((one) => one.action === action);
      if (order === undefined) throw new Error(`no ${action} is queued`);
      agentOrders.move(ctx.db, { id: order.id, detail: 'as told', atMs: ctx.clock.nowMs(), ...change });
      await healing.settle();
      return order.id;
    },
    run: () => recentActionRuns(ctx.db, 1)[0],
    incident: () => openIncidents(ctx.db)[0],
    kinds: () =>
      changes
        .since(ctx.db, 0, { limit: 1000 })
        .map((change) => change.kind)
        .filter((kind) => kind !== 'result_changed' && kind !== 'incident_changed'),
  };
}

t.test('a service that is down on a workstation is ordered to restart, re-checked and verified', async (t) => {
  const it = site(t);
  await it.report();
  t.match(it.orders(), [
    {
      action: 'restart_service',
      params: { service: 'cron' },
      requestedBy: 'rule:required-service-down',
      expiresAtMs: START_MS + 300 * SECOND,
      actionRunId: it.run()?.id,
    },
  ]);
  t.match(it.run(), { state: 'started', ruleId: 'required-service-down', ruleVersion: 1 });
  t.match(it.incident(), { state: 'healing', ruleId: 'required-service-down' });

  it.ctx.clock.move(2 * SECOND);
  await it.answer('restart_service', { state: 'done' });
  t.match(it.run(), { state: 'done', verifyByMs: START_MS + 122 * SECOND });
  await it.look();
  t.match(
    it.orders().filter((order) => order.action === 'run_check'),
    [{ params: { checks: ['services'] } }],
  );

  const recheck = await it.answer('run_check', { state: 'done' });
  await it.pass(recheck);
  t.match(it.run(), { state: 'verified', code: null });
  t.equal(it.incident(), undefined);
  t.strictSame(it.kinds(), [
    'incident_opened',
    'action_started',
    'action_finished',
    'incident_resolved',
    'action_verified',
  ]);
});

t.test('a pass nobody asked for after the action proves nothing', async (t) => {
  const it = site(t);
  await it.report();
  await it.answer('restart_service', { state: 'done' });
  it.ctx.clock.move(1);
  await it.pass();
  t.match(it.run(), { state: 'done' });
  await it.look(120 * SECOND);
  t.match(it.run(), { state: 'not_verified', code: 'NOT_VERIFIED' });
});

t.test('an answer to a re-check counts whatever the clock of the agent says', async (t) => {
  const it = site(t);
  await it.report();
  await it.answer('restart_service', { state: 'done' });
  await it.look();
  const recheck = await it.answer('run_check', { state: 'done' });
  it.ctx.clock.move(SECOND);
  await it.report({ status: 'pass', reason: 'cron is running.', collectedAtMs: START_MS + 10 ** 12 }, recheck);
  t.match(it.run(), { state: 'verified' });
});

t.test(
  'of three services down on one host, two are restarted in turn and the third says it was not tried',
  async (t) => {
    const it = site(t);
    const down = (subject: string) => it.report({ subject, reason: `${subject} is stopped. Start it.` });
    const words = (subject: string) => openIncidents(it.ctx.db).find((one) => one.subject === subject)?.nextStep ?? '';
    const restarted = () =>
      recentActionRuns(it.ctx.db, 9)
        .map((run) => `${run.params.service} ${run.startedAtMs - START_MS}`)
        .reverse();
    for (const subject of ['sv-a', 'sv-b', 'sv-c']) await down(subject);
    t.strictSame(restarted(), ['sv-a 0'], 'one at a time');
    for (const subject of ['sv-b', 'sv-c']) {
      t.match(
        words(subject),
        new RegExp(`has not tried to restart ${subject} on .* because it did restart sv-a there`),
      );
    }
    await it.answer('restart_service', { state: 'failed', code: 'SERVICE_NOT_RUNNING' });
    t.match(words('sv-a'), /will restart sv-a on front-desk again once 5 minutes have passed/);
    await it.look(300 * SECOND - 1);
    t.equal(restarted().length, 1);
    await it.look(1);
    t.strictSame(restarted(), ['sv-a 0', `sv-b ${300 * SECOND}`], 'what was not tried goes before a second try');
    t.match(words('sv-c'), /did not try to restart sv-c: it made 2 repairs .*\(restart sv-a, restart sv-b\)/);
    t.match(words('sv-a'), /made 2 repairs there within 15 minutes \(restart sv-a, restart sv-b\) and stops here/);
    t.strictSame(
      openIncidents(it.ctx.db)
        .map(({ subject, state }) => `${subject} ${state}`)
        .sort(),
      ['sv-a needs_person', 'sv-b healing', 'sv-c needs_person'],
    );
    await it.look(3600 * SECOND);
    t.equal(restarted().length, 2);
  },
);

t.test('a repair that does not help is tried twice, five minutes apart, and then a person is called', async (t) => {
  const it = site(t);
  await it.report();
  await it.answer('restart_service', { state: 'done' });
  await it.look(121 * SECOND);
  t.match(it.run(), { state: 'not_verified' });
  t.match(it.incident(), { state: 'open', nextStep: /restart cron on front-desk again once 5 minutes have passed/ });

  await it.look(178 * SECOND);
  t.equal(recentActionRuns(it.ctx.db, 9).length, 1);
  await it.report();
  await it.look(SECOND);
  t.equal(recentActionRuns(it.ctx.db, 9).length, 2);

  await it.answer('restart_service', { state: 'failed', code: 'SERVICE_MANAGER_FAILED' });
  await it.look(10 * SECOND);
  t.match(it.run(), { state: 'failed', code: 'SERVICE_MANAGER_FAILED', outcome: 'as told' });
  t.match(it.incident(), { state: 'needs_person', nextStep: /Look at front-desk yourself: .*2 repairs/ });
  t.equal(it.kinds().at(-1), 'incident_needs_person');

  await it.report();
  await it.look(3600 * SECOND);
  t.equal(recentActionRuns(it.ctx.db, 9).length, 2);
});

t.test('MONITOR_ONLY: the incident stays open and says so, and nothing is ordered', async (t) => {
  const it = site(t, 0);
  await it.report();
  t.match(it.incident(), { state: 'open', nextStep: /changes nothing on front-desk, which is set to MONITOR_ONLY/ });
  t.strictSame(it.orders(), []);
  t.strictSame(recentActionRuns(it.ctx.db, 9), []);
});

t.test('a tier raised later lets the rule act', async (t) => {
  const it = site(t, 0);
  await it.report();
  agents.setTier(it.ctx.db, { id: it.source, tier: 1, atMs: START_MS });
  await it.look();
  t.equal(it.orders().length, 1);
});

t.test('an agent that is away is repaired when it is back, after a look at what is true by then', async (t) => {
  const it = site(t);
  agents.setConnected(it.ctx.db, { id: it.source, connected: false, atMs: START_MS });
  await it.report();
  t.match(it.incident(), { state: 'open', nextStep: /is not connected/ });
  agents.setConnected(it.ctx.db, { id: it.source, connected: true, atMs: START_MS });
  await it.look(3600 * SECOND);
  t.match(it.orders(), [{ action: 'run_check' }]);
  await it.look(SECOND);
  t.equal(it.orders().length, 1, 'asked once');
  const recheck = await it.answer('run_check', { state: 'done' });
  await it.report({ collectedAtMs: 5 }, recheck);
  t.match(it.orders(), [{ action: 'restart_service' }]);
});

t.test('an order the agent never takes fails when it has expired', async (t) => {
  const it = site(t);
  await it.report();
  await it.look(300 * SECOND + 60 * SECOND);
  t.match(recentActionRuns(it.ctx.db, 9).at(-1), { state: 'failed', code: 'ORDER_EXPIRED' });
});

t.test('a fact that no rule wants takes the incident out of the hands of healing', async (t) => {
  const it = site(t, 0);
  await it.report();
  const reason = 'This workstation has no service cron. Install it, or take it off the list of the site.';
  await it.report({ reason, actual: 'not installed', facts: { service: 'cron', state: 'not_installed' } });
  t.match(it.incident(), {
    state: 'open',
    ruleId: null,
    nextStep: 'Install cron on front-desk, or take it off the list of required services.',
  });
});

t.test('its cursor follows the changes, so that they can be pruned', async (t) => {
  const it = site(t);
  await it.report();
  t.equal(readCursor(it.ctx.db, 'healing'), changes.lastId(it.ctx.db));
});

/** A box with one declared service, a real process. */
function box(t: Parameters<typeof applianceContext>[0], command: readonly string[]) {
  const ctx = applianceContext(t, 'box: { requiredServices: [probe] }\n');
  const dir = join(ctx.config.dataDir, 'services');
  mkdirSync(dir);
  const pidFile = join(dir, 'probe.pid');
  writeFileSync(join(dir, 'probe.json'), JSON.stringify({ command, pidFile }));
  const services = createPidfileManager({ dir });
  t.teardown(() => services.stop('probe').catch(() => {}));
  const assess = createAssess(ctx);
  const make = () => createHealing(ctx, { rules: createRuleSet([restartRule()]), services });
  let seq = 0;
  const observe = async () => {
    seq += 1;
    const { state } = await services.status('probe');
    const facts = { service: 'probe', manager: services.kind, state };
    const status = state === 'running' ? ('pass' as const) : ('fail' as const);
    const result = checkResult({ subject: 'probe', status, facts, collectedAtMs: ctx.clock.nowMs() });
    reports.insert(ctx.db, { source: 'box', seq, receivedAtMs: ctx.clock.nowMs(), body: encodeReport(seq, [result]) });
    await assess.settle();
  };
  return { ctx, services, observe, make, run: () => recentActionRuns(ctx.db, 1)[0] };
}

t.test('a service that was killed on the box is started again, seen again and verified', async (t) => {
  const { ctx, services, observe, make, run } = box(t, ['sleep', '600']);
  const healing = make();
  await services.start('probe');
  const pid = Number(/pid (\d+)/.exec((await services.status('probe')).detail)?.[1]);
  process.kill(pid, 'SIGKILL');
  while ((await services.status('probe')).state === 'running') await new Promise(setImmediate);
  let asked = 0;
  ctx.signals.on('selfCheck', ({ checks }) => {
    t.strictSame(checks, ['services']);
    asked += 1;
  });

  await observe();
  await healing.settle();
  t.match(run(), { source: 'box', state: 'done', before: { state: 'failed' }, after: { state: 'running' } });
  t.equal((await services.status('probe')).state, 'running');
  t.equal(asked, 1);

  await observe();
  await healing.settle();
  t.match(run(), { state: 'verified', outcome: 'probe was restarted and is running. A fresh check passed.' });
  t.strictSame(openIncidents(ctx.db), []);
});

t.test('the row of an action is on disk before the action begins', async (t) => {
  const { ctx, services, observe, make } = box(t, ['sleep', '600']);
  const seen: unknown[] = [];
  const watching: ServiceManager = {
    ...services,
    status: (name, call) => {
      seen.push(...activeActionRuns(ctx.db).map((run) => run.state), ctx.db.inTransaction);
      return services.status(name, call);
    },
  };
  await observe();
  await createHealing(ctx, { rules: make().rules, services: watching }).settle();
  t.strictSame(seen.slice(0, 2), ['started', false]);
});

t.test('a service that ends at once is a failed repair', async (t) => {
  const { observe, make, run } = box(t, ['true']);
  const healing = make();
  await observe();
  await healing.settle();
  t.match(run(), { state: 'failed', code: 'SERVICE_MANAGER_FAILED' });
});

t.test('after a crash in the middle, the run is indeterminate and counts as an attempt', async (t) => {
  const { ctx, services, observe, make, run } = box(t, ['sleep', '600']);
  await observe();
  const hanging: ServiceManager = { ...services, status: () => new Promise(() => {}) };
  const crashed = createHealing(ctx, { rules: make().rules, services: hanging });
  void crashed.settle();
  await new Promise(setImmediate);
  t.match(run(), { state: 'started' });

  await make().settle();
  t.match(run(), { state: 'indeterminate', code: 'INTERRUPTED' });
  t.match(openIncidents(ctx.db), [{ state: 'open', nextStep: /again once 5 minutes have passed/ }]);
  t.equal(recentActionRuns(ctx.db, 9).length, 1);
});

t.test('stopping calls an action off and says that its end is unclear', async (t) => {
  const { ctx, services, observe, make, run } = box(t, ['sleep', '600']);
  let begun: () => void = () => {};
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const slow: ServiceManager = {
    ...services,
    restart: (_name, call) => {
      begun();
      return new Promise((_resolve, reject) => {
        const end = () => reject(kitErrors.make('SERVICE_ACTION_ABORTED'));
        call?.signal?.addEventListener('abort', end, { once: true });
      });
    },
  };
  const healing = createHealing(ctx, { rules: make().rules, services: slow });
  await observe();
  healing.start();
  await hasBegun;
  await healing.stop();
  t.match(run(), { state: 'indeterminate', code: 'SERVICE_ACTION_ABORTED' });
});

t.test('the box touches no service it does not require of itself', async (t) => {
  const { ctx, make, services } = box(t, ['sleep', '600']);
  const assess = createAssess(ctx);
  const facts = { service: 'sshd', manager: 'sysv', state: 'stopped' };
  const result = checkResult({ subject: 'sshd', facts, collectedAtMs: START_MS });
  reports.insert(ctx.db, { source: 'box', seq: 1, receivedAtMs: START_MS, body: encodeReport(1, [result]) });
  await assess.settle();
  const healing = make();
  await healing.settle();
  t.strictSame(recentActionRuns(ctx.db, 9), []);
  t.match(openIncidents(ctx.db), [{ state: 'needs_person', nextStep: /may not restart sshd/ }]);
  t.equal(services.kind, 'pidfile');
});

t.test('a rule orders a repair that only an agent can do, after its hold, from its tier on', async (t) => {
  const loaded = loadRuleFolder(BUILTIN_RULES_DIR);
  if (!loaded.ok) throw new Error(loaded.text);
  const rules = createRuleSet(loaded.rules);
  const off = {
    check: 'firewall',
    subject: '',
    actual: 'no input filter is loaded',
    reason: 'Nothing filters incoming packets.',
    facts: { technology: 'none', active: false, input_policy: 'none', rule_count: 0 },
  } as Partial<ResultInput>;
  const low = site(t, 1, rules);
  await low.report(off);
  t.match(low.incident(), { state: 'open', nextStep: /on a higher tier it would turn on the firewall/ });
  await low.look(3600 * SECOND);
  t.strictSame(low.orders(), []);

  const it = site(t, 2, rules);
  await it.report(off);
  t.match(it.incident(), {
    state: 'open',
    nextStep: /if this lasts for 10 minutes, Sitewarden will turn on the firewall/,
  });
  t.strictSame(it.orders(), []);
  await it.look(600 * SECOND);
  t.match(it.orders(), [{ action: 'firewall_on', params: {}, requestedBy: 'rule:firewall-off' }]);
  await it.answer('firewall_on', { state: 'done' });
  await it.look();
  t.match(
    it.orders().filter(({ action }) => action === 'run_check'),
    [{ params: { checks: ['firewall'] } }],
  );
  const recheck = await it.answer('run_check', { state: 'done' });
  await it.report({ ...off, status: 'pass', actual: 'nftables: drop', facts: { active: true } }, recheck);
  t.match(it.run(), { state: 'verified', action: 'firewall_on' });
  t.equal(it.incident(), undefined);
});
