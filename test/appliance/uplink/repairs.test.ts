import { MENDING_ACTIONS } from '@sitewarden/agent-proto/actions';
import { minTierOf, type TierNumber } from '@sitewarden/agent-proto/checks';
import { newId } from '@sitewarden/kit/ids';
import type { Test } from 'tap';
import t from 'tap';
import { draftOf } from '../../../appliance/evidence/draft.ts';
import type { InstallerSet } from '../../../appliance/installers/index.ts';
import { agentOrders, agents, changes, relayOrders } from '../../../appliance/store/index.ts';
import { answerEnd, createOrderProgress } from '../../../appliance/uplink/order-progress.ts';
import { createOrderTaker } from '../../../appliance/uplink/orders.ts';
import { eventually } from '../../helpers/appliance-context.ts';
import { claimWith, uplinkFixture } from '../helpers/uplink-fixture.ts';

const HOUR_MS = 3_600_000;
const MOMENT = { bootId: 'b', monotonicMs: 1, timeQuality: 'synced' } as const;

/** What the box has of installers. */
const offered = (change: Partial<InstallerSet> = {}): InstallerSet => ({
  version: '0.2.0',
  files: [{ target: 'linux-x64', file: 'agent', bytes: 1, sha256: 'a'.repeat(64) }],
  manifest: Buffer.alloc(0),
  signature: 'made by somebody',
  isVerified: false,
  ...change,
});

async function setUp(t: Test, options: { clockOffsetMs?: number } = {}) {
  const fixture = await uplinkFixture(t, options);
  claimWith(fixture);
  const { ctx, client, relay } = fixture;
  let aheadMs = 0;
  const own = { ...ctx, clock: { ...ctx.clock, nowMs: () => Date.now() + aheadMs } };
  const box: { installers: InstallerSet | undefined } = { installers: offered() };
  const taker = createOrderTaker(ctx, client, { read: async () => box.installers });
  let seq = 0;
  const addAgent = (tier: TierNumber = 2, more: Partial<agents.AgentHost> = {}) => {
    const id = newId('agt');
    const host = { hostname: 'front-desk', osFamily: 'linux', osVersion: '', agentVersion: '0.1.0', ...more };
    agents.insert(ctx.db, { id, host, tier, enrolledAtMs: 1 });
    return id;
  };
  async function give(action: string, params: object, change: { expiresAtMs?: number } = {}) {
    seq += 1;
    const orderId = newId('ord');
    relay.orders = [relay.order({ seq, orderId, action, params: params as never, ...change })];
    await taker.fetch();
    return orderId;
  }
  const given = (orderId: string) => agentOrders.byRelayOrder(ctx.db, orderId)[0];
  const told = (orderId: string) =>
    changes
      .since(ctx.db, 0, { limit: 1000 })
      .filter(({ kind, refId }) => kind.startsWith('order_') && refId === orderId);
  const end = (orderId: string) => told(orderId).at(-1)?.body as changes.OrderChange;
  async function progress() {
    const part = createOrderProgress(own);
    await part.start();
    t.teardown(() => part.stop());
    return part;
  }
  async function answer(orderId: string, move: Omit<agentOrders.AgentOrderMove, 'id' | 'atMs'>) {
    const order = given(orderId);
    if (order === undefined) throw new Error('nothing was asked');
    agentOrders.move(ctx.db, { id: order.id, atMs: Date.now(), ...move });
    ctx.signals.emit('agentOrder', { agentId: order.agentId });
    return eventually('the order to end', () => {
      const row = relayOrders.byId(ctx.db, orderId);
      return row?.state === 'started' ? undefined : row;
    });
  }
  const move = (byMs: number) => {
    aheadMs += byMs;
  };
  return { ...fixture, box, addAgent, give, given, told, end, progress, answer, move };
}

t.test('every repair becomes one order of its one agent, from its tier on', async (t) => {
  const it = await setUp(t);
  const nowMs = it.relay.nowMs();
  const params: Record<string, object> = {
    ...{ restart_service: { service: 'cron' }, start_service: { service: 'cron' } },
    screenlock_policy: { idle_seconds: 600 },
    security_updates_install: { window_start_ms: nowMs - 1000, window_end_ms: nowMs + HOUR_MS - 60_000 },
  };
  it.addAgent();
  for (const action of MENDING_ACTIONS) {
    if (action === 'undo') continue;
    const agentId = it.addAgent(minTierOf(action));
    const asked = { ...params[action], dry_run: true };
    const orderId = await it.give(action, { ...asked, agent_id: agentId });
    const made = agentOrders.byRelayOrder(it.ctx.db, orderId);
    t.equal(made.length, 1, action);
    t.match(made, [{ agentId, action, notBeforeMs: null, state: 'queued', requestedBy: 'Ada' }]);
    t.strictSame(Object.keys(made[0]?.params ?? {}).sort(), Object.keys(asked).sort());
    t.match(it.end(orderId), { state: 'started', target: { agentId, host: 'front-desk' } });
    const lower = it.addAgent((minTierOf(action) - 1) as TierNumber);
    const refused = await it.give(action, { ...asked, agent_id: lower });
    t.match(it.end(refused), { state: 'refused', code: 'TIER_TOO_LOW', detail: /Raise the tier/ });
    t.equal(it.given(refused), undefined, 'nothing reaches the agent');
    const strange = await it.give(action, { ...asked, agent_id: agentId, force: true });
    t.match(it.end(strange), { state: 'refused', code: 'ORDER_PARAMS_INVALID' });
  }
});

t.test(
  'a repair that is done comes back with closed facts, and its check is asked for in the same commit',
  async (t) => {
    const it = await setUp(t);
    const agentId = it.addAgent();
    await it.progress();
    const orderId = await it.give('firewall_on', { agent_id: agentId });
    const before = { technology: 'ufw', active: false, hostname: 'front-desk' };
    const after = { technology: 'ufw', active: true, rule_count: 2, reason: 'free text' };
    const words = 'ufw is on, says kim@front-desk.';
    const row = await it.answer(orderId, { state: 'done', detail: words, before, after });
    t.match(row, { state: 'done', code: null, detail: words });
    t.strictSame(it.end(orderId).before, { technology: 'ufw', active: false });
    t.strictSame(it.end(orderId).after, { technology: 'ufw', active: true, rule_count: 2 });
    const again = agentOrders.queuedFor(it.ctx.db, agentId, Date.now());
    t.match(again, [{ action: 'run_check', params: { checks: ['firewall'] }, relayOrderId: null, requestedBy: 'Ada' }]);
    t.equal(again.length, 1);

    const [received, finished] = it.told(orderId).map((change) => draftOf(change, MOMENT));
    t.match(received, {
      kind: 'order_received',
      target: { agentId, host: 'front-desk', check: 'firewall', subject: 'firewall_on' },
      action: { name: 'firewall_on', runId: null, params: { agent_id: agentId } },
      orderId,
    });
    t.match(finished, {
      kind: 'order_finished',
      before: { facts: { technology: 'ufw', active: false } },
      after: { facts: { technology: 'ufw', active: true, rule_count: 2 } },
      outcome: { code: 'done', text: 'The workstation has done it.' },
    });
    t.notMatch(JSON.stringify(finished), /kim|free text|hostname/, 'no word of the workstation is signed');
  },
);

t.test('evidence says the parameters of an order, and no text of a workstation that failed it', async (t) => {
  const it = await setUp(t);
  const agentId = it.addAgent();
  await it.progress();
  const orderId = await it.give('screenlock_policy', { agent_id: agentId, idle_seconds: 600 });
  await it.answer(orderId, {
    state: 'failed',
    code: 'KIM_WAS_HERE',
    detail: 'call kim',
    before: { idle_seconds: 0 },
    after: {},
  });
  t.match(it.end(orderId), { state: 'failed', code: 'KIM_WAS_HERE', detail: 'call kim' }, 'people are told');
  const entry = draftOf(it.told(orderId).at(-1)!, MOMENT);
  t.match(entry, {
    action: { name: 'screenlock_policy', params: { idle_seconds: 600 } },
    before: { facts: { idle_seconds: 0 } },
    outcome: { code: 'failed', text: 'The workstation could not do it.' },
  });
  t.notMatch(JSON.stringify(entry), /kim/i);
  const known = await it.give('firewall_on', { agent_id: agentId, dry_run: true });
  await it.answer(known, { state: 'refused', code: 'RULED_ELSEWHERE', detail: 'by policy' });
  const refused = draftOf(it.told(known).at(-1)!, MOMENT);
  t.match(refused, { action: { params: { dry_run: true } }, outcome: { code: 'RULED_ELSEWHERE' } });
  t.strictSame(
    agentOrders.queuedFor(it.ctx.db, agentId, Date.now()),
    [],
    'nothing was changed, so nothing is looked at',
  );
});

t.test('a dry run is not followed by a check', async (t) => {
  const it = await setUp(t);
  const agentId = it.addAgent();
  await it.progress();
  const orderId = await it.give('firewall_on', { agent_id: agentId, dry_run: true });
  t.match(await it.answer(orderId, { state: 'done', detail: 'Dry run', before: {}, after: {} }), { state: 'done' });
  t.strictSame(agentOrders.queuedFor(it.ctx.db, agentId, Date.now()), []);
});

t.test("an undo names the agent's own order, and only of what that agent did", async (t) => {
  const it = await setUp(t);
  const [agentId, other] = [it.addAgent(), it.addAgent()];
  await it.progress();
  const firewall = await it.give('firewall_on', { agent_id: agentId });
  const undo = (orderId: string, id = agentId) => it.give('undo', { agent_id: id, order_id: orderId });
  t.match(it.end(await undo(firewall)), { state: 'refused', code: 'UNDO_ORDER_UNKNOWN' }, 'not before it is done');
  await it.answer(firewall, { state: 'done', before: { active: false }, after: { active: true } });
  for (const orderId of [newId('ord'), it.given(firewall)?.id ?? '']) {
    t.match(it.end(await undo(orderId)), { code: 'UNDO_ORDER_UNKNOWN' });
  }
  t.match(it.end(await undo(firewall, other)), { code: 'UNDO_ORDER_UNKNOWN' });
  const dry = await it.give('firewall_on', { agent_id: agentId, dry_run: true });
  await it.answer(dry, { state: 'done' });
  t.match(it.end(await undo(dry)), { code: 'UNDO_ORDER_UNKNOWN' });

  const undone = await undo(firewall);
  t.match(it.given(undone), { action: 'undo', params: { order_id: it.given(firewall)?.id } });
  t.not(it.given(firewall)?.id, firewall);
  await it.answer(undone, { state: 'done', before: { active: true }, after: { active: false, hostname: 'x' } });
  t.strictSame(it.end(undone).after, { active: false }, 'the facts are of the check of what was undone');
  t.match(draftOf(it.told(undone).at(-1)!, MOMENT), { action: { name: 'undo', params: { order_id: firewall } } });

  agents.setTier(it.ctx.db, { id: agentId, tier: 1, atMs: Date.now() });
  t.match(it.end(await undo(firewall)), { state: 'refused', code: 'TIER_TOO_LOW' }, 'it needs the tier of firewall_on');
});

t.test(
  'an order for a window waits on the box until it begins, across restarts, on the clock of the box',
  async (t) => {
    const aheadMs = 20 * 60_000;
    const it = await setUp(t, { clockOffsetMs: aheadMs });
    const agentId = it.addAgent();
    const startMs = it.relay.nowMs() + HOUR_MS;
    const endMs = startMs + HOUR_MS;
    const window = { window_start_ms: startMs, window_end_ms: endMs };
    const told: string[] = [];
    const orderId = await it.give('security_updates_install', { agent_id: agentId, ...window }, { expiresAtMs: endMs });
    t.match(it.end(orderId), { state: 'started', detail: /until its maintenance window begins/, params: window });
    const order = it.given(orderId)!;
    const near = (value: unknown, wanted: number) => t.ok(Math.abs(Number(value) - wanted) < 10_000, `${value}`);
    near(order.notBeforeMs, startMs - aheadMs);
    near(order.params.window_start_ms, startMs - aheadMs);
    near(order.params.window_end_ms, endMs - aheadMs);
    near(order.expiresAtMs, endMs - aheadMs);
    t.strictSame(agentOrders.queuedFor(it.ctx.db, agentId, Date.now()), []);
    t.strictSame(agentOrders.unansweredFor(it.ctx.db, agentId, Date.now()), []);

    const first = await it.progress();
    await first.stop();
    it.ctx.signals.on('agentOrder', (signal) => told.push(signal.agentId));
    await it.progress();
    t.strictSame(told, [], 'nobody is told before');
    it.move(HOUR_MS + 1000);
    await eventually('the agent to be told', () => (told.length > 0 ? true : undefined));
    t.match(agentOrders.queuedFor(it.ctx.db, agentId, order.notBeforeMs ?? 0), [{ id: order.id }]);
    t.equal(relayOrders.byId(it.ctx.db, orderId)?.state, 'started');

    // Begun in the window: one package may overrun it.
    agentOrders.move(it.ctx.db, { id: order.id, state: 'started', atMs: Date.now() });
    it.move(HOUR_MS + 60_000);
    await eventually('a look at it', () => (told.length > 0 ? true : undefined));
    t.equal(agentOrders.byId(it.ctx.db, order.id)?.state, 'started', 'its end is waited for');
    it.move(2 * HOUR_MS);
    await eventually('its end', () =>
      relayOrders.byId(it.ctx.db, orderId)?.state === 'indeterminate' ? true : undefined,
    );
  },
);

t.test('a window that does not fit is refused on the box too', async (t) => {
  const it = await setUp(t);
  const agentId = it.addAgent();
  const nowMs = it.relay.nowMs();
  const give = async (startMs: number, endMs: number, more = {}, expiresAtMs = nowMs + HOUR_MS) => {
    const window = { window_start_ms: startMs, window_end_ms: endMs, ...more };
    return it.end(await it.give('security_updates_install', { agent_id: agentId, ...window }, { expiresAtMs }));
  };
  for (const [startMs, endMs] of [
    [nowMs, nowMs],
    [nowMs - HOUR_MS, nowMs - 1],
    [nowMs - 24 * HOUR_MS, nowMs + 1000],
    [nowMs, nowMs + HOUR_MS + 1],
  ] as const) {
    t.match(await give(startMs, endMs), { state: 'refused', code: 'ORDER_WINDOW_UNFIT' });
  }
  t.match(await give(nowMs, nowMs + HOUR_MS), { state: 'started' });
  t.match(await give(nowMs + HOUR_MS, nowMs + 2 * HOUR_MS, { dry_run: true }), { state: 'started', detail: '' });
});

t.test('an order that an agent was cut off in, or that the box ended by itself, says so', async (t) => {
  const interrupted = { state: 'failed', code: 'INDETERMINATE', detail: 'cut off', after: {}, before: {} } as const;
  t.match(answerEnd(interrupted, 'firewall'), { state: 'indeterminate', code: 'INDETERMINATE' });
  const lowered = { state: 'refused', code: 'TIER_TOO_LOW', detail: null, after: null, before: null } as const;
  t.match(answerEnd(lowered, 'firewall'), { state: 'refused', detail: /Raise the tier/, isAnswer: undefined });
  const removed = { ...lowered, state: 'failed', code: 'AGENT_REMOVED' } as const;
  t.match(answerEnd(removed, 'firewall'), { state: 'failed', code: 'AGENT_REMOVED', detail: /was removed/ });
});

t.test(
  'an update is refused where the box can see that it cannot be, and else given with what staff named',
  async (t) => {
    const it = await setUp(t);
    const refusal = async (params: object, host: Partial<agents.AgentHost>, installers: InstallerSet | undefined) => {
      it.box.installers = installers;
      const orderId = await it.give('update_agent', { ...params, agent_id: it.addAgent(1, host) });
      const { state, code } = it.end(orderId);
      if (state !== 'refused') t.match(it.given(orderId), { action: 'update_agent', params });
      return state === 'refused' ? code : 'given';
    };
    const newer = { agentVersion: '0.3.0' };
    t.equal(await refusal({}, {}, undefined), 'UPDATE_INSTALLER_MISSING');
    t.equal(await refusal({}, {}, offered({ signature: undefined })), 'UPDATE_INSTALLER_MISSING');
    t.equal(await refusal({}, { osFamily: 'windows' }, offered()), 'UPDATE_INSTALLER_MISSING');
    t.equal(await refusal({}, { osFamily: 'macos' }, offered()), 'UPDATE_INSTALLER_MISSING');
    t.equal(await refusal({ version: '0.4.0' }, {}, offered()), 'UPDATE_VERSION_MISSING');
    t.equal(await refusal({}, { agentVersion: '0.2.0' }, offered()), 'UPDATE_SAME_VERSION');
    t.equal(await refusal({}, newer, offered()), 'UPDATE_NOT_NEWER');
    t.equal(await refusal({ version: '0.2.0' }, newer, offered()), 'given', 'a version that is named');
    t.equal(await refusal({}, {}, offered()), 'given');
    const params = { agent_id: it.addAgent(1), version: '0.2.0' };
    const [received] = it.told(await it.give('update_agent', params)).map((change) => draftOf(change, MOMENT));
    t.match(received, { action: { name: 'update_agent', params } }, 'evidence names the version that staff named');
  },
);

t.test('an update that is done tells from which version to which, and asks for no check', async (t) => {
  const it = await setUp(t);
  await it.progress();
  const agentId = it.addAgent(1);
  const orderId = await it.give('update_agent', { agent_id: agentId });
  const facts = (version: string) => ({ agent_version: version, hostname: 'front-desk' });
  await it.answer(orderId, { state: 'done', detail: '', before: facts('0.1.0'), after: facts('0.2.0') });
  t.match(it.end(orderId), { state: 'done', code: null, detail: /updated/ });
  t.strictSame(it.end(orderId).before, { agent_version: '0.1.0' });
  t.strictSame(it.end(orderId).after, { agent_version: '0.2.0' });
  t.strictSame(agentOrders.queuedFor(it.ctx.db, agentId, Date.now()), []);
  const failed = await it.give('update_agent', { agent_id: agentId });
  const row = await it.answer(failed, { state: 'failed', code: 'UPDATE_ROLLED_BACK', detail: 'It is back.' });
  t.match(row, { state: 'failed', code: 'UPDATE_ROLLED_BACK', detail: 'It is back.' });
});
