import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFacts, encodeFacts, type Facts, OrderState, Tier } from '@sitewarden/agent-proto/agent';
import { createPidfileManager } from '@sitewarden/kit/services';
import { systemClock } from '@sitewarden/kit/time';
import t from 'tap';
import { openQueue } from '../../../agent/queue/index.ts';
import { makeAgent } from '../helpers/in-process-agent.ts';
import { makeMender, recordingHost, sights } from '../helpers/mender.ts';
import { startTestAppliance } from '../helpers/test-appliance.ts';
import { until } from '../helpers/wait.ts';

const STARTED = OrderState.ORDER_STATE_STARTED;
const DONE = OrderState.ORDER_STATE_DONE;
const FAILED = OrderState.ORDER_STATE_FAILED;
const REFUSED = OrderState.ORDER_STATE_REFUSED;

async function scene(t: { teardown(fn: () => unknown): void }, tier: Tier, command = ['sleep', '600']) {
  const config = { tier, requiredServices: ['worker'], checks: ['services'], heartbeatIntervalMs: 1000 };
  const site = await startTestAppliance(config);
  t.teardown(() => site.stop());
  const agent = await makeAgent(site);
  const dir = agent.config.serviceManager.pidfileDir!;
  mkdirSync(dir);
  writeFileSync(join(dir, 'worker.json'), JSON.stringify({ command, pidFile: join(dir, 'worker.pid') }));
  const manager = createPidfileManager({ dir });
  t.teardown(async () => {
    await manager.stop('worker').catch(() => {});
    agent.remove();
  });
  const give = async (action: string, params: Facts, orderId?: string) => {
    const order = site.order({ action, params: encodeFacts(params), ...(orderId === undefined ? {} : { orderId }) });
    const receipt = await until(`an end of ${action}`, () =>
      site.agent.receipts.find((one) => one.orderId === order.orderId && one.state !== STARTED),
    );
    return { ...receipt, before: decodeFacts(receipt.before), after: decodeFacts(receipt.after) };
  };
  return { site, agent, manager, give };
}

t.test('a stopped service is started, left alone while it runs, and stopped again by undo', async (t) => {
  const { site, agent, manager, give } = await scene(t, Tier.TIER_SELF_HEAL);
  const daemon = agent.start();
  await until('a session', () => site.agent.heartbeats.length > 0);
  const worker = { service: 'worker' };
  t.match(await give('start_service', { ...worker, dry_run: true }), {
    state: DONE,
    detail: 'Dry run, nothing was changed. It would do: start the service worker.',
    after: { state: 'stopped' },
  });
  t.match(await manager.status('worker'), { state: 'stopped' });
  t.match(await give('start_service', worker, 'ord_start'), {
    state: DONE,
    before: { service: 'worker', state: 'stopped', manager: 'combined' },
    after: { service: 'worker', state: 'running' },
  });
  const { detail: first } = await manager.status('worker');
  t.match(await give('start_service', worker), { state: DONE, detail: 'Nothing to do: worker runs already.' });
  const receipts = site.agent.receipts.length;
  site.order({ action: 'start_service', params: encodeFacts(worker), orderId: 'ord_start' });
  await until('the same answer', () => site.agent.receipts.length > receipts);
  t.match(await manager.status('worker'), { state: 'running', detail: first }, 'it is the process of before');
  t.match(await give('undo', { order_id: 'ord_start' }), { state: DONE, after: { state: 'stopped' } });
  t.match(await manager.status('worker'), { state: 'stopped' });
  t.match(await give('undo', { order_id: 'ord_start' }), { state: REFUSED, code: 'UNDO_UNKNOWN' });
  await daemon.stop();
});

t.test('a service that ends at once is a failure with what it was before and after', async (t) => {
  const { site, agent, give } = await scene(t, Tier.TIER_SELF_HEAL, ['false']);
  const daemon = agent.start();
  await until('a session', () => site.agent.heartbeats.length > 0);
  t.match(await give('start_service', { service: 'worker' }), {
    state: FAILED,
    code: 'SERVICE_MANAGER_FAILED',
    before: { state: 'stopped' },
    after: { service: 'worker' },
  });
  await daemon.stop();
});

t.test('an order that was cut off is indeterminate, is not run again, and can be undone', async (t) => {
  const { site, agent, manager, give } = await scene(t, Tier.TIER_SELF_HEAL);
  const queue = openQueue(agent.config.dataDir, { maxRows: 100, maxAgeMs: 1e10 }, systemClock);
  queue.reports.bindAgent(site.agent.id);
  const atMs = Date.now();
  const started = { orderId: 'ord_cut', state: STARTED, code: '', detail: '', before: {}, after: {}, atMs };
  queue.orders.open({ orderId: 'ord_cut', action: 'start_service' }, 'started', started);
  queue.orders.keepUndo('ord_cut', { action: 'start_service', kept: { service: 'worker' } });
  queue.close();
  await manager.start('worker');
  const daemon = agent.start();
  const worker = { service: 'worker' };
  await until('the answer', () => site.agent.receipts.some((one) => one.code === 'INDETERMINATE'));
  t.match(await give('start_service', worker, 'ord_cut'), { state: FAILED, code: 'INDETERMINATE' });
  t.match(await give('undo', { order_id: 'ord_cut' }), { state: DONE, before: { state: 'running' } });
  t.match(await manager.status('worker'), { state: 'stopped' });
  await daemon.stop();
});

t.test('undo needs the tier of what it undoes', async (t) => {
  const dir = t.testdir();
  const facts = { technology: 'ufw', active: true, input_policy: 'drop' };
  const host = recordingHost('linux');
  const mender = makeMender({ dir, tier: 1, host, look: sights({ facts }) });
  const receipt = { orderId: 'ord_on', state: DONE, code: '', detail: '', before: {}, after: {}, atMs: 1 };
  mender.queue.orders.open({ orderId: 'ord_on', action: 'firewall_on' }, 'started', receipt);
  mender.queue.orders.keepUndo('ord_on', { action: 'firewall_on', kept: { way: 'ufw' } });
  t.match(await mender.give('undo', { order_id: 'ord_on' }), { state: 'refused', code: 'TIER_TOO_LOW' });
  t.strictSame(host.calls, []);
  await mender.stop();
});

t.test('what is kept for undo is bounded in number and in size', async (t) => {
  const queue = openQueue(t.testdir(), { maxRows: 100, maxAgeMs: 1e10 }, systemClock);
  const receipt = { state: STARTED, code: '', detail: '', before: {}, after: {}, atMs: 1 };
  for (let i = 0; i < 300; i++) {
    queue.orders.open({ orderId: `o${i}`, action: 'firewall_on' }, 'started', { ...receipt, orderId: `o${i}` });
    queue.orders.keepUndo(`o${i}`, { action: 'firewall_on', kept: { way: 'nft' } });
  }
  t.equal(queue.orders.findUndo('o43'), undefined);
  t.match(queue.orders.findUndo('o44'), { kept: { way: 'nft' } });
  t.throws(() => queue.orders.keepUndo('o1', { action: 'x', kept: { a: 'x'.repeat(70_000) } }), RangeError);
  queue.close();
});

const CLAM = { engine: 'ClamAV', engines_found: ['ClamAV'], realtime: false };
const clamdStopped = { facts: { ...CLAM, engine_running: false, signature_age_days: 30 } };
const clamdRuns = { status: 'pass', facts: { ...CLAM, engine_running: true, signature_age_days: 30 } } as const;
const fresh = { status: 'pass', facts: { ...CLAM, engine_running: true, signature_age_days: 1 } } as const;

t.test('an engine that stands still is started as a service of this machine', async (t) => {
  const dir = t.testdir({ services: {} });
  const declaration = { command: ['sleep', '600'], pidFile: join(dir, 'services', 'clamav-daemon.pid') };
  writeFileSync(join(dir, 'services', 'clamav-daemon.json'), JSON.stringify(declaration));
  const services = createPidfileManager({ dir: join(dir, 'services') });
  const host = recordingHost('linux');
  const mender = makeMender({ dir, host, services, look: sights(clamdStopped, clamdRuns) });
  t.match(await mender.give('defender_start'), { state: 'done', after: { engine_running: true } });
  t.match(await services.status('clamav-daemon'), { state: 'running' });
  await services.stop('clamav-daemon');
  t.strictSame(host.calls, []);
  await mender.stop();
  const bare = makeMender({ dir: t.testdir({ b: {} }), host, look: sights({ facts: { engine_running: false } }) });
  t.match(await bare.give('defender_start'), { state: 'refused', code: 'ACTION_NOT_POSSIBLE', detail: /Install one/ });
  await bare.stop();
});

t.test('signatures are fetched by freshclam; without it the order is refused with what to install', async (t) => {
  const none = recordingHost('linux', () => 'missing');
  const mender = makeMender({ dir: t.testdir({ a: {} }), host: none, look: sights(clamdRuns) });
  const refusal = {
    state: 'refused',
    code: 'ACTION_NOT_POSSIBLE',
    detail: /^freshclam is not installed\. Install clamav/,
  };
  t.match(await mender.give('signatures_update'), refusal);
  await mender.stop();

  const host = recordingHost('linux');
  const one = makeMender({ dir: t.testdir({ b: {} }), host, look: sights(clamdRuns, fresh) });
  t.match(await one.give('signatures_update'), { state: 'done', after: { signature_age_days: 1 } });
  t.strictSame(
    host.calls.map(({ argv }) => argv),
    [
      ['freshclam', '--version'],
      ['freshclam', '--stdout'],
    ],
  );
  await one.stop();

  const locked = recordingHost('linux', (argv) =>
    argv[1] === '--stdout' ? { exitCode: 62, stderr: 'ERROR: /var/log/x is locked by another process' } : {},
  );
  const other = makeMender({ dir: t.testdir({ c: {} }), host: locked, look: sights(clamdRuns) });
  t.match(await other.give('signatures_update'), {
    state: 'failed',
    code: 'TOOL_FAILED',
    detail: /as a service already/,
  });
  await other.stop();
});

t.test('freshclam of this machine is run, or its absence is told', async (t) => {
  const mender = makeMender({ dir: t.testdir(), look: sights(clamdRuns) });
  const answer = await mender.give('signatures_update', { dry_run: true });
  t.match(
    answer,
    answer.state === 'refused' ? { detail: /Install clamav-freshclam/ } : { detail: /It would do: freshclam/ },
  );
  await mender.stop();
});

t.test('the lock of the screen is a policy of the machine: written whole, kept from people, put back', async (t) => {
  const root = t.testdir({
    usr: { bin: { plasmashell: '' } },
    etc: { xdg: { kscreenlockerrc: '[Greeter]\nTheme=x\n\n[Daemon]\nAutolock=false\n' } },
    data: {},
  });
  const host = recordingHost('linux', () => ({}), root);
  const nobody = { status: 'not_applicable', facts: { desktop: 'installed', graphical_sessions: 0 } } as const;
  const mender = makeMender({ dir: join(root, 'data'), host, look: sights(nobody) });
  const params = { idle_seconds: 600 };
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  t.match(await mender.give('screenlock_policy', { ...params, dry_run: true }), {
    detail: /It would do: write \/etc\/dconf\/db\/local\.d\/50-.*; dconf update/,
  });
  t.match(read('etc/xdg/kscreenlockerrc'), /Autolock=false/);
  t.match(await mender.give('screenlock_policy', params, 'ord_lock'), { state: 'done', detail: /next log-in/ });
  t.match(read('etc/dconf/db/local.d/50-sitewarden-screenlock'), /idle-delay=uint32 600\n/);
  t.match(read('etc/dconf/db/local.d/locks/50-sitewarden-screenlock'), /^\/org\/gnome\/desktop\/session\/idle-delay$/m);
  t.equal(read('etc/dconf/profile/user'), 'user-db:user\nsystem-db:local\n');
  t.equal(
    read('etc/xdg/kscreenlockerrc'),
    '[Greeter]\nTheme=x\n\n[Daemon][$i]\nAutolock=true\nLockGrace=0\nTimeout=10\n',
  );
  t.strictSame(host.calls.at(-1)!.argv, ['dconf', 'update', join(root, 'etc/dconf/db')]);
  t.match(await mender.give('screenlock_policy', params), { state: 'done', detail: /^Nothing to do/ });
  writeFileSync(join(root, 'etc/dconf/profile/user'), 'user-db:user\nsystem-db:other\n');
  t.match(await mender.give('undo', { order_id: 'ord_lock' }), { state: 'refused', code: 'RULED_ELSEWHERE' });
  writeFileSync(join(root, 'etc/dconf/profile/user'), 'user-db:user\nsystem-db:local\n');
  t.match(await mender.give('undo', { order_id: 'ord_lock' }), { state: 'done' });
  t.equal(read('etc/xdg/kscreenlockerrc'), '[Greeter]\nTheme=x\n\n[Daemon]\nAutolock=false\n');
  t.throws(() => read('etc/dconf/profile/user'), { code: 'ENOENT' });
  await mender.stop();

  const open = { facts: { desktop: 'gnome', graphical_sessions: 1, lock_enabled: false, idle_seconds: 0 } };
  const two = makeMender({
    dir: t.testdir({ b: {} }),
    host: recordingHost('linux', () => ({}), t.testdir({ c: {} })),
    look: sights(open),
  });
  t.match(await two.give('screenlock_policy', params), {
    state: 'failed',
    code: 'ACTION_NOT_VERIFIED',
    detail: /next log-in/,
  });
  await two.stop();
});
