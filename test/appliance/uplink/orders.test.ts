import type { OrderState } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { createPidfileManager } from '@sitewarden/kit/services';
import type { Test } from 'tap';
import t from 'tap';
import { createInstallers } from '../../../appliance/installers/index.ts';
import { agentOrders, agents, certificates, changes, relayOrders, reports } from '../../../appliance/store/index.ts';
import { createSelfChecks } from '../../../appliance/telemetry/index.ts';
import { answerEnd, type BoxPart, createOrderProgress, orderEnd } from '../../../appliance/uplink/order-progress.ts';
import { createOrderTaker } from '../../../appliance/uplink/orders.ts';
import { eventually } from '../../helpers/appliance-context.ts';
import { claimWith, uplinkFixture } from '../helpers/uplink-fixture.ts';

async function setUp(t: Test, options: { clockOffsetMs?: number } = {}) {
  const fixture = await uplinkFixture(t, options);
  claimWith(fixture);
  const { ctx, client } = fixture;
  const asked: (readonly string[])[] = [];
  ctx.signals.on('selfCheck', ({ checks }) => asked.push(checks));
  const addAgent = () => {
    const id = newId('agt');
    const host = { hostname: id, osFamily: 'linux', osVersion: '', agentVersion: '' };
    agents.insert(ctx.db, { id, host, tier: 0, enrolledAtMs: 1 });
    return id;
  };
  const told = () =>
    changes.since(ctx.db, 0, { limit: 100 }).flatMap(({ kind, body }) => {
      const { state, code } = body as { state: string; code: string | null };
      return kind.startsWith('order_') ? [`${kind} ${state}${code === null ? '' : ` ${code}`}`] : [];
    });
  return {
    ...fixture,
    taker: createOrderTaker(ctx, client, createInstallers(ctx.config.installers)),
    asked,
    addAgent,
    told,
  };
}

t.test('an order for all agents becomes one for each, and the box checks itself', async (t) => {
  const { ctx, relay, taker, asked, addAgent, told } = await setUp(t);
  const ids = [addAgent(), addAgent()].sort();
  const orderId = newId('ord');
  relay.orders = [relay.order({ seq: 1, orderId, params: { checks: ['services', 'made_up'] } })];
  await taker.fetch();
  const orders = agentOrders.byRelayOrder(ctx.db, orderId);
  t.strictSame(orders.map(({ agentId }) => agentId).sort(), ids);
  t.match(orders[0], { action: 'run_check', params: { checks: ['services'] }, state: 'queued', requestedBy: 'Ada' });
  t.strictSame(asked, [['services']]);
  t.equal(relayOrders.byId(ctx.db, orderId)?.boxCheck, 'wanted');
  t.strictSame(told(), ['order_received started']);
});

t.test('an order for one agent reaches only that one', async (t) => {
  const { ctx, relay, taker, asked, addAgent } = await setUp(t);
  const [one] = [addAgent(), addAgent()];
  const orderId = newId('ord');
  relay.orders = [relay.order({ seq: 1, orderId, params: { agent_id: one } })];
  await taker.fetch();
  t.strictSame(
    agentOrders.byRelayOrder(ctx.db, orderId).map(({ agentId }) => agentId),
    [one],
  );
  t.strictSame(asked, []);
});

t.test('the same order given again and again is taken once', async (t) => {
  const { ctx, relay, taker, addAgent, told } = await setUp(t);
  addAgent();
  const orderId = newId('ord');
  relay.orders = [relay.order({ seq: 1, orderId })];
  for (let i = 0; i < 3; i += 1) await taker.fetch();
  t.equal(agentOrders.byRelayOrder(ctx.db, orderId).length, 1);
  t.strictSame(told(), ['order_received started']);
});

t.test('forged, foreign, replayed and unreadable orders are not run', async (t) => {
  const { ctx, relay, taker, addAgent, told } = await setUp(t);
  addAgent();
  const other = await uplinkFixture(t);
  relay.orders = [
    other.relay.order({ seq: 1, applianceId: relay.box.applianceId }),
    relay.order({ seq: 1, applianceId: other.relay.box.applianceId }),
    relay.order({ seq: 1, epoch: 2 }),
    relay.envelope('config', 'application/vnd.sitewarden.order.v1+json', { orderId: newId('ord') }),
    relay.order({ seq: 1, action: 'Re boot' }),
    'not an envelope',
  ];
  await taker.fetch();
  t.strictSame(told(), []);
  relay.orders = [relay.order({ seq: 5 }), relay.order({ seq: 5 }), relay.order({ seq: 4 })];
  await taker.fetch();
  t.strictSame(told(), ['order_received started'], 'numbers only rise');
  t.equal(relayOrders.maxSeq(ctx.db), 5);
});

t.test('an order that is genuine but cannot be run is answered with the reason', async (t) => {
  const { relay, taker, told } = await setUp(t);
  relay.orders = [
    relay.order({ seq: 1, expiresAtMs: relay.nowMs() - 1 }),
    relay.order({ seq: 2, params: { agent_id: newId('agt') } }),
    relay.order({ seq: 3, params: { checks: ['made_up'] } }),
    relay.order({ seq: 4, action: 'reboot' }),
    relay.order({ seq: 5, action: 'remove_agent', params: {} }),
    relay.order({ seq: 6, action: 'collect_diagnostics', params: { agent_id: '../etc' } }),
    relay.order({ seq: 7, action: 'remove_agent', params: { agent_id: newId('agt') } }),
    relay.order({ seq: 8, action: 'collect_diagnostics', params: { agent_id: newId('agt'), path: 'C:' } }),
  ];
  await taker.fetch();
  t.strictSame(told(), [
    'order_finished expired ORDER_EXPIRED',
    'order_finished refused ORDER_AGENT_UNKNOWN',
    'order_finished refused ORDER_CHECKS_UNKNOWN',
    'order_finished refused ORDER_ACTION_UNKNOWN',
    'order_finished refused ORDER_PARAMS_INVALID',
    'order_finished refused ORDER_PARAMS_INVALID',
    'order_finished refused ORDER_AGENT_UNKNOWN',
    'order_finished refused ORDER_PARAMS_INVALID',
  ]);
});

t.test('an agent is removed in the same commit as its order is done, once', async (t) => {
  const { ctx, relay, taker, addAgent, told } = await setUp(t);
  const [one, two] = [addAgent(), addAgent()];
  certificates.insert(ctx.db, { serial: '01', agentId: one, notAfterMs: Date.now() + 1e9 });
  const removed: string[] = [];
  ctx.signals.on('agentRemoved', ({ agentId }) => removed.push(agentId));
  relay.orders = [relay.order({ seq: 1 })];
  await taker.fetch();
  const order = relay.order({ seq: 2, action: 'remove_agent', params: { agent_id: one } });
  relay.orders = [order, relay.order({ seq: 3, action: 'remove_agent', params: { agent_id: one } })];
  await taker.fetch();
  await taker.fetch();
  t.equal(agents.byId(ctx.db, one)?.state, 'removed');
  t.equal(agents.byId(ctx.db, two)?.state, 'active');
  t.ok(certificates.bySerial(ctx.db, '01')?.revokedAtMs, 'its certificate is revoked');
  t.strictSame(removed, [one], 'its session is cut once');
  t.strictSame(told(), [
    'order_received started',
    'order_received started',
    'order_finished done',
    'order_received started',
    'order_finished done',
  ]);
  const kinds = changes.since(ctx.db, 0, { limit: 100 }).filter(({ kind }) => kind === 'agent_removed');
  t.strictSame(
    kinds.map(({ refId }) => refId),
    [one],
  );
  const waiting = agentOrders.byRelayOrder(ctx.db, relayOrders.listOpen(ctx.db)[0]?.orderId ?? '');
  t.strictSame(
    waiting.map(({ agentId, state, code }) => [agentId === one, state, code]).toSorted(),
    [
      [false, 'queued', null],
      [true, 'failed', 'AGENT_REMOVED'],
    ],
    'nobody waits for it any more',
  );
});

t.test('diagnostics are asked of one agent, and its answer ends the order with the closed set of facts', async (t) => {
  const { ctx, relay, taker, addAgent, told, asked } = await setUp(t);
  const [one] = [addAgent(), addAgent()];
  const orderId = newId('ord');
  relay.orders = [relay.order({ seq: 1, orderId, action: 'collect_diagnostics', params: { agent_id: one } })];
  await taker.fetch();
  const progress = createOrderProgress(ctx);
  await progress.start();
  t.teardown(() => progress.stop());
  const given = agentOrders.byRelayOrder(ctx.db, orderId);
  t.match(given, [{ agentId: one, action: 'collect_diagnostics', params: {} }]);
  t.equal(given.length, 1);
  t.strictSame(asked, [], 'the box is not asked');
  const after = { queue_depth: 3, hostname: 'front-desk', os_version: 'C:\\Users\\kim' };
  agentOrders.move(ctx.db, { id: given[0]?.id ?? '', state: 'done', after, atMs: 1 });
  ctx.signals.emit('agentOrder', { agentId: one });
  await eventually('it is done', () => (relayOrders.byId(ctx.db, orderId)?.state === 'done' ? true : undefined));
  t.strictSame(told(), ['order_received started', 'order_finished done']);
  const [end] = changes.since(ctx.db, 0, { limit: 100 }).filter(({ kind }) => kind === 'order_finished');
  t.strictSame((end?.body as changes.OrderChange | undefined)?.after, { os_version: 'C:-Users-kim', queue_depth: 3 });
});

t.test('an agent that refuses or never answers ends its order of diagnostics in its own words', async (t) => {
  const refused = { state: 'refused', code: 'ACTION_UNKNOWN', detail: 'Update the agent.', after: null } as const;
  t.match(answerEnd(refused), { state: 'refused', code: 'ACTION_UNKNOWN', detail: 'Update the agent.' });
  const silent = { code: null, detail: null, after: null };
  t.equal(answerEnd({ ...silent, state: 'started' }), undefined);
  t.match(answerEnd({ ...silent, state: 'expired' }), { state: 'expired', code: 'AGENTS_NOT_CONNECTED' });
  t.match(answerEnd({ ...silent, state: 'indeterminate' }), { state: 'indeterminate', code: 'AGENT_WENT_SILENT' });
});

t.test('expiry is judged by the time of the relay', async (t) => {
  const { relay, taker, told, addAgent } = await setUp(t, { clockOffsetMs: -3_600_000 });
  addAgent();
  relay.orders = [relay.order({ seq: 1 })];
  await taker.fetch();
  t.strictSame(told(), ['order_received started'], 'by the clock of the box it would have expired an hour ago');
});

t.test('an order is done when the last agent has answered', async (t) => {
  const { ctx, relay, taker, addAgent, told } = await setUp(t);
  addAgent();
  addAgent();
  const orderId = newId('ord');
  relay.orders = [relay.order({ seq: 1, orderId })];
  await taker.fetch();
  const progress = createOrderProgress(ctx);
  await progress.start();
  t.teardown(() => progress.stop());
  const orders = agentOrders.byRelayOrder(ctx.db, orderId);
  for (const { id, agentId } of orders) {
    t.equal(relayOrders.byId(ctx.db, orderId)?.state, 'started');
    agentOrders.move(ctx.db, { id, state: 'done', atMs: 1 });
    ctx.signals.emit('agentOrder', { agentId });
  }
  relayOrders.setBoxChecked(ctx.db, orderId);
  await eventually('it is done', () => (relayOrders.byId(ctx.db, orderId)?.state === 'done' ? true : undefined));
  t.strictSame(told(), ['order_received started', 'order_finished done']);
  t.match(relayOrders.byId(ctx.db, orderId)?.detail, /2 of 2/);
});

t.test('agents that never answer do not keep an order open', async (t) => {
  const { ctx, relay, taker, addAgent } = await setUp(t);
  addAgent();
  const orderId = newId('ord');
  relay.orders = [relay.order({ seq: 1, orderId })];
  await taker.fetch();
  ctx.db.exec('UPDATE agent_order SET expires_at_ms = 1; UPDATE relay_order SET expires_at_ms = 1');
  const progress = createOrderProgress(ctx);
  await progress.start();
  t.teardown(() => progress.stop());
  await eventually('it has expired', () => (relayOrders.byId(ctx.db, orderId)?.state === 'expired' ? true : undefined));
  t.equal(agentOrders.byRelayOrder(ctx.db, orderId)[0]?.state, 'expired');
});

t.test('what an order has come to follows from what its agents say', async (t) => {
  const end = (...states: OrderState[]) => {
    const found = orderEnd(states, 'not_asked');
    return found === undefined ? 'open' : `${found.state}${found.code === null ? '' : ` ${found.code}`}`;
  };
  t.equal(end('done', 'delivered'), 'open');
  t.equal(end(), 'failed NOTHING_TO_LOOK_AT');
  t.equal(end('done', 'done'), 'done');
  t.equal(end('done', 'failed'), 'done SOME_AGENTS_DID_NOT');
  t.equal(end('expired', 'expired'), 'expired AGENTS_NOT_CONNECTED');
  t.equal(end('expired', 'indeterminate'), 'indeterminate AGENT_WENT_SILENT');
  t.equal(end('refused', 'failed'), 'failed AGENTS_FAILED');
});

t.test('an order to a box without agents is done when the box has looked at itself, and says so', async (t) => {
  const { ctx, relay, taker, told } = await setUp(t);
  const orderId = newId('ord');
  relay.orders = [relay.order({ seq: 1, orderId })];
  await taker.fetch();
  const progress = createOrderProgress(ctx);
  await progress.start();
  t.teardown(() => progress.stop());
  const other = newId('ord');
  relay.orders = [relay.order({ seq: 2, orderId: other, params: { checks: ['patches'] } })];
  await taker.fetch();
  await eventually('one that has nothing to look at ends', () =>
    relayOrders.byId(ctx.db, other)?.state === 'failed' ? true : undefined,
  );
  t.match(relayOrders.byId(ctx.db, other), { code: 'NOTHING_TO_LOOK_AT', detail: /no agents.*Enrol an agent/ });
  t.equal(relayOrders.byId(ctx.db, orderId)?.state, 'started', 'the box has not looked yet');

  // The signal of this order was given before these began, as after a crash: the row alone tells.
  const checks = createSelfChecks(ctx, { services: createPidfileManager({ dir: t.testdir() }), everyMs: 3_600_000 });
  checks.start();
  t.teardown(() => checks.stop());
  await eventually('it is done', () => (relayOrders.byId(ctx.db, orderId)?.state === 'done' ? true : undefined));
  const detail = 'The box has checked itself; this site has no agents';
  t.match(relayOrders.byId(ctx.db, orderId), { code: null, detail });
  const rows = reports.since(ctx.db, 0, 10).filter((row) => reports.decodeReport(row).orderId === orderId);
  t.match(rows, [{ source: 'box' }], 'its report is stored, once');
  t.match(told().at(-1), 'order_finished done');
});

t.test('an order that no workstation ran is not done, though the box has looked at itself', async (t) => {
  const end = (box: BoxPart, ...states: OrderState[]) => {
    const found = orderEnd(states, box);
    return found === undefined ? 'open' : `${found.state}${found.code === null ? '' : ` ${found.code}`}`;
  };
  t.equal(end('wanted', 'done'), 'open');
  t.equal(end('done'), 'done');
  t.equal(end('done', 'done'), 'done');
  t.equal(end('done', 'done', 'expired'), 'done SOME_AGENTS_DID_NOT');
  t.equal(end('done', 'expired'), 'expired AGENTS_NOT_CONNECTED');
  t.equal(end('done', 'refused', 'expired'), 'failed AGENTS_FAILED');
  t.equal(end('done', 'indeterminate'), 'indeterminate AGENT_WENT_SILENT');
  t.match(orderEnd(['expired'], 'done'), {
    detail: 'The box has checked itself; 0 of 1 agents have run their checks. Start them and give the order again.',
  });
  t.equal(end('missed', 'done'), 'done BOX_DID_NOT');
  t.equal(end('missed'), 'failed BOX_DID_NOT');
});
