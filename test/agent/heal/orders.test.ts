import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFacts, encodeFacts, type OrderReceipt, OrderState, Tier } from '@sitewarden/agent-proto/agent';
import { AGENT_ACTIONS, minTierOf, onlyDiagnostics } from '@sitewarden/agent-proto/checks';
import { createPidfileManager } from '@sitewarden/kit/services';
import { systemClock } from '@sitewarden/kit/time';
import t from 'tap';
import { ACTIONS } from '../../../agent/heal/index.ts';
import { isRepairName, REPAIRS } from '../../../agent/heal/repairs.ts';
import { openQueue } from '../../../agent/queue/index.ts';
import { type AgentUnderTest, makeAgent } from '../helpers/in-process-agent.ts';
import { startTestAppliance, type TestAppliance } from '../helpers/test-appliance.ts';
import { until } from '../helpers/wait.ts';

const STARTED = OrderState.ORDER_STATE_STARTED;
const DONE = OrderState.ORDER_STATE_DONE;
const FAILED = OrderState.ORDER_STATE_FAILED;
const REFUSED = OrderState.ORDER_STATE_REFUSED;

type Tap = Pick<typeof t, 'teardown'>;

interface Scene {
  readonly site: TestAppliance;
  readonly agent: AgentUnderTest;
  /** A declared service, a real process: appends a line to `starts` each time it starts. */
  readonly starts: () => number;
  stopService(): Promise<void>;
  receipts(orderId: string): OrderReceipt[];
}

async function scene(t: Tap, tier: Tier, command?: string[]): Promise<Scene> {
  const config = { tier, requiredServices: ['worker'], checks: ['services'], heartbeatIntervalMs: 1000 };
  const site = await startTestAppliance(config);
  t.teardown(() => site.stop());
  const agent = await makeAgent(site);
  const dir = agent.config.serviceManager.pidfileDir!;
  mkdirSync(dir);
  const startsPath = join(dir, 'starts');
  const script = `echo started >> ${startsPath}; exec sleep 600`;
  const declaration = { command: command ?? ['sh', '-c', script], pidFile: join(dir, 'worker.pid') };
  writeFileSync(join(dir, 'worker.json'), JSON.stringify(declaration));
  const manager = createPidfileManager({ dir });
  t.teardown(async () => {
    await manager.stop('worker').catch(() => {});
    agent.remove();
  });
  return {
    site,
    agent,
    starts: () => (existsSync(startsPath) ? readFileSync(startsPath, 'utf8').trim().split('\n').length : 0),
    stopService: () => manager.stop('worker'),
    receipts: (orderId) => site.agent.receipts.filter((receipt) => receipt.orderId === orderId),
  };
}

const restart = {
  action: 'restart_service',
  params: { service: { kind: { $case: 'text', value: 'worker' } } },
} as const;
const states = (receipts: readonly OrderReceipt[]) => receipts.map(({ state }) => state);

t.test('a stopped required service is started in tier SELF_HEAL, proved by its state before and after', async (t) => {
  const { site, agent, starts, receipts } = await scene(t, Tier.TIER_SELF_HEAL);
  const daemon = agent.start();
  await until('a session', () => site.agent.heartbeats.length > 0);
  const { orderId } = site.order(restart);
  await until('both receipts', () => receipts(orderId).length === 2);
  t.strictSame(states(receipts(orderId)), [STARTED, DONE]);
  const done = receipts(orderId)[1]!;
  t.match(decodeFacts(done.before), { service: 'worker', state: 'stopped' });
  t.match(decodeFacts(done.after), { service: 'worker', state: 'running' });
  t.equal(starts(), 1);
  await daemon.stop();
});

t.test('a running one is restarted', async (t) => {
  const { site, agent, starts, receipts } = await scene(t, Tier.TIER_FULL_REMEDIATION);
  const daemon = agent.start();
  await until('a session', () => site.agent.heartbeats.length > 0);
  const first = site.order(restart);
  await until('the first', () => receipts(first.orderId).length === 2);
  const second = site.order(restart);
  await until('the second', () => receipts(second.orderId).length === 2);
  t.match(decodeFacts(receipts(second.orderId)[1]!.before), { state: 'running' });
  t.equal(starts(), 2);
  await daemon.stop();
});

t.test('the same order again does nothing again, and its last receipt is sent again', async (t) => {
  const { site, agent, starts, receipts } = await scene(t, Tier.TIER_SELF_HEAL);
  const daemon = agent.start();
  await until('a session', () => site.agent.heartbeats.length > 0);
  const order = site.order(restart);
  await until('both receipts', () => receipts(order.orderId).length === 2);
  for (let i = 0; i < 3; i++) site.order(order);
  await until('three more', () => receipts(order.orderId).length === 5);
  t.strictSame(states(receipts(order.orderId)), [STARTED, DONE, DONE, DONE, DONE]);
  t.equal(starts(), 1);
  await daemon.stop();
});

t.test('diagnostics tell how the agent is, what went wrong lately and why a check is unknown', async (t) => {
  const { site, agent, receipts } = await scene(t, Tier.TIER_MONITOR_ONLY);
  site.pushConfig({ checks: ['services', 'made_up'] });
  const daemon = agent.start();
  await until('a session', () => site.agent.heartbeats.length > 0);
  const early = site.order(restart);
  await until('a refusal', () => receipts(early.orderId).length > 0);
  const looked = site.order({ action: 'run_check' });
  await until('a look', () => receipts(looked.orderId).length === 2);
  const { orderId } = site.order({ action: 'collect_diagnostics' });
  await until('both receipts', () => receipts(orderId).length === 2);
  t.strictSame(states(receipts(orderId)), [STARTED, DONE], 'in any tier');
  const after = decodeFacts(receipts(orderId)[1]!.after);
  t.strictSame(onlyDiagnostics(after), after, 'the closed set and nothing else');
  t.match(after, {
    tier: 0,
    checks: ['services', 'made_up'],
    required_services: ['worker'],
    heartbeat_interval_ms: 1000,
    clock_offset_ms: Number,
    data_disk_free_bytes: Number,
    unknown_checks: ['made_up CHECK_UNKNOWN'],
    losses: [],
  });
  t.match(after.errors, [/^TIER_TOO_LOW 1 20\d\d-/]);
  await daemon.stop();
});

t.test('what the agent can do is what the contract says, with the same tiers, checks and ways back', async (t) => {
  const of = (name: string) => (isRepairName(name) ? REPAIRS[name] : undefined);
  const own = Object.fromEntries(
    ACTIONS.map(({ name, minTier }) => {
      const check = name === 'restart_service' ? 'services' : of(name)?.check;
      return [name, { minTier, ...(check && { check }), ...(of(name)?.canUndo && { canUndo: true }) }];
    }),
  );
  t.same(own, AGENT_ACTIONS);
  t.equal(minTierOf('format_disk'), 2);
});

const REFUSALS: [title: string, tier: Tier, order: Parameters<TestAppliance['order']>[0], code: string][] = [
  ['in tier MONITOR_ONLY', Tier.TIER_MONITOR_ONLY, restart, 'TIER_TOO_LOW'],
  ['in a tier of a newer appliance', 9 as Tier, restart, 'TIER_TOO_LOW'],
  [
    'for a service that is not required',
    Tier.TIER_SELF_HEAL,
    { ...restart, params: { service: { kind: { $case: 'text', value: 'ssh' } } } },
    'SERVICE_NOT_REQUIRED',
  ],
  ['after its time', Tier.TIER_SELF_HEAL, { ...restart, expiresAtMs: 1 }, 'ORDER_EXPIRED'],
  ['of an action nobody knows', Tier.TIER_FULL_REMEDIATION, { action: 'format_disk' }, 'ACTION_UNKNOWN'],
  [
    'of diagnostics with parameters',
    Tier.TIER_FULL_REMEDIATION,
    { action: 'collect_diagnostics', params: { path: { kind: { $case: 'text', value: '/etc' } } } },
    'ORDER_PARAMS_INVALID',
  ],
  ['without a service', Tier.TIER_SELF_HEAL, { action: 'restart_service' }, 'ORDER_PARAMS_INVALID'],
];

for (const [title, tier, order, code] of REFUSALS) {
  t.test(`an order ${title} is refused with ${code}, and nothing runs`, async (t) => {
    const { site, agent, starts, receipts } = await scene(t, tier);
    const daemon = agent.start();
    await until('a session', () => site.agent.heartbeats.length > 0);
    const { orderId } = site.order(order);
    const [receipt] = await until('a receipt', () => receipts(orderId).length > 0 && receipts(orderId));
    t.match(receipt, { state: REFUSED, code, detail: /\.$/ });
    t.equal(starts(), 0);
    await daemon.stop();
  });
}

t.test('a tier that is lowered counts for the next order', async (t) => {
  const { site, agent, starts, receipts } = await scene(t, Tier.TIER_SELF_HEAL);
  const daemon = agent.start();
  await until('a session', () => site.agent.heartbeats.length > 0);
  site.pushConfig({ tier: Tier.TIER_MONITOR_ONLY });
  const { orderId } = site.order(restart);
  const [receipt] = await until('a receipt', () => receipts(orderId).length > 0 && receipts(orderId));
  t.match(receipt, { state: REFUSED, code: 'TIER_TOO_LOW' });
  t.equal(starts(), 0);
  await daemon.stop();
});

t.test('a service that does not come up is a failure with its code', async (t) => {
  const { site, agent, receipts } = await scene(t, Tier.TIER_SELF_HEAL, ['false']);
  const daemon = agent.start();
  await until('a session', () => site.agent.heartbeats.length > 0);
  const { orderId } = site.order(restart);
  await until('both receipts', () => receipts(orderId).length === 2);
  t.match(receipts(orderId)[1], { state: FAILED, code: 'SERVICE_MANAGER_FAILED' });
  await daemon.stop();
});

t.test('run_check looks now and its report names the order', async (t) => {
  const { site, agent, stopService, receipts } = await scene(t, Tier.TIER_MONITOR_ONLY);
  const daemon = agent.start();
  await until('the first round', () => site.agent.reports.length === 1);
  await stopService();
  const { orderId } = site.order({ action: 'run_check' });
  const report = await until('its report', () => site.agent.reports.find((one) => one.orderId === orderId));
  t.match(report.results, [{ check: 'services', subject: 'worker' }]);
  await until('both receipts', () => receipts(orderId).length === 2);
  t.match(decodeFacts(receipts(orderId)[1]!.after), { reports: 1, fail: 1 });
  await daemon.stop();
});

t.test('run_check can be narrowed to some checks', async (t) => {
  const { site, agent } = await scene(t, Tier.TIER_MONITOR_ONLY);
  const daemon = agent.start();
  await until('the first round', () => site.agent.reports.length === 1);
  const { orderId } = site.order({ action: 'run_check', params: encodeFacts({ checks: ['screenlock'] }) });
  const report = await until('its report', () => site.agent.reports.find((one) => one.orderId === orderId));
  t.strictSame(
    report.results.map(({ check }) => check),
    ['screenlock'],
  );
  await daemon.stop();
});

t.test(
  'a flood of orders is answered whole: some run, one at a time, the others are refused as too many',
  async (t) => {
    const { site, agent } = await scene(t, Tier.TIER_MONITOR_ONLY);
    const daemon = agent.start();
    await until('the first round', () => site.agent.reports.length === 1);
    const orders = Array.from({ length: 60 }, () => site.order({ action: 'run_check' }).orderId);
    const last = () => new Map(site.agent.receipts.map((receipt) => [receipt.orderId, receipt]));
    await until('an end for each', () =>
      orders.every((id) => [DONE, REFUSED].includes(last().get(id)?.state as never)),
    );
    const codes = orders.map((id) => last().get(id)?.code);
    const busy = codes.filter((code) => code === 'AGENT_BUSY').length;
    t.equal(busy + codes.filter((code) => code === '').length, 60);
    t.ok(busy >= 20, `${busy} refused`);
    await daemon.stop();
  },
);

t.test('an order found started after a crash is answered as indeterminate and not run again', async (t) => {
  const { site, agent, starts, receipts } = await scene(t, Tier.TIER_SELF_HEAL);
  const queue = openQueue(agent.config.dataDir, { maxRows: 100, maxAgeMs: 1e10 }, systemClock);
  queue.reports.bindAgent(site.agent.id);
  const atMs = Date.now();
  const started = { orderId: 'ord_x', state: STARTED, code: '', detail: '', before: {}, after: {}, atMs };
  queue.orders.open({ orderId: 'ord_x', action: 'restart_service' }, 'started', started);
  queue.close();
  const daemon = agent.start();
  await until('both receipts', () => receipts('ord_x').length === 2);
  t.match(receipts('ord_x')[1], { state: FAILED, code: 'INDETERMINATE' });
  site.order({ ...restart, orderId: 'ord_x' });
  await until('the same answer', () => receipts('ord_x').length === 3);
  t.match(receipts('ord_x')[2], { state: FAILED, code: 'INDETERMINATE' });
  t.equal(starts(), 0);
  await daemon.stop();
});

t.test('receipts reach an appliance that went away while the order ran', async (t) => {
  const { site, agent, receipts } = await scene(t, Tier.TIER_SELF_HEAL);
  const daemon = agent.start();
  await until('a session', () => site.agent.heartbeats.length > 0);
  const { orderId } = site.order(restart);
  await until('the first receipt', () => receipts(orderId).length >= 1);
  site.agent.receipts.length = 0;
  site.cut();
  await until('the last receipt', () => receipts(orderId).some(({ state }) => state === DONE));
  const beats = site.agent.heartbeats.length;
  await until('heartbeats after it', () => site.agent.heartbeats.length >= beats + 3);
  const seen = receipts(orderId).length;
  site.cut();
  const sessions = site.sessionsOpened;
  await until('one more session', () => site.sessionsOpened > sessions && site.agent.heartbeats.length > beats + 4);
  t.equal(receipts(orderId).length, seen, 'once delivered they stay delivered');
  await daemon.stop();
});

t.test('an order may come late by as much as the clocks of box and workstation differ', async (t) => {
  const { site, agent, receipts } = await scene(t, Tier.TIER_SELF_HEAL);
  const hourMs = 3_600_000;
  site.rules.clockOffsetMs = -hourMs;
  const daemon = agent.start();
  await until('two heartbeats', () => site.agent.heartbeats.length > 1);
  const { orderId } = site.order({ ...restart, expiresAtMs: Date.now() - hourMs + 60_000 });
  await until('both receipts', () => receipts(orderId).length === 2);
  t.strictSame(states(receipts(orderId)), [STARTED, DONE]);
  await daemon.stop();
});

t.test('an order that waits at Welcome is run by an agent whose clock is two hours ahead', async (t) => {
  const { site, agent, receipts } = await scene(t, Tier.TIER_SELF_HEAL);
  const twoHoursMs = 2 * 3_600_000;
  site.rules.clockOffsetMs = -twoHoursMs;
  const orderId = 'ord_waiting';
  const expiresAtMs = Date.now() - twoHoursMs + 60_000;
  site.rules.waitingOrders = [{ requestedBy: 'test', ...restart, orderId, expiresAtMs }];
  const daemon = agent.start();
  await until('both receipts', () => receipts(orderId).length === 2);
  t.strictSame(states(receipts(orderId)), [STARTED, DONE]);
  await daemon.stop();
});
