import { createSecureContext } from 'node:tls';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  encodeFacts,
  OrderState,
  Report,
  SessionRequest,
  Tier,
} from '@sitewarden/agent-proto/agent';
import { CHECK_NAMES } from '@sitewarden/agent-proto/checks';
import type { SiteConfig } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import t, { type Test } from 'tap';
import { APPLIANCE_SERVER_NAME } from '../../../agent/identity/pin.ts';
import { createAssess } from '../../../appliance/assess/index.ts';
import { applianceErrors } from '../../../appliance/errors.ts';
import { TokenBucket } from '../../../appliance/intake/token-bucket.ts';
import { agentOrders, agents, changes, reports, resultsOfSource, state } from '../../../appliance/store/index.ts';
import { sixResults } from '../../helpers/agent-client.ts';
import { eventually, type TestContext } from '../../helpers/appliance-context.ts';
import {
  call,
  errorCode,
  type IntakeFixture,
  openTalk,
  startIntake,
  type Talk,
  talk,
} from '../helpers/intake-fixture.ts';

const seqs = (ctx: TestContext) => reports.since(ctx.db, 0, 10_000).map(({ seq }) => seq);
const endCode = async (session: Talk) => {
  const error = await session.ended;
  return error === undefined ? 'OK' : `${status[error.code]} ${errorCode(error)}`;
};

t.test('the agent is welcomed with its place, its tier and what to check', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const session = talk(fixture, identity);
  const host = { hostname: 'renamed', osFamily: 'windows', osVersion: '11', agentVersion: '0.2.0' };
  session.say({ $case: 'hello', value: { host, lastSeq: 0, bootId: 'b' } });
  const welcome = await session.next('welcome');
  t.match(welcome, { agentId: identity.agentId, ackedThrough: 0 });
  t.ok(Math.abs(welcome.nowMs - fixture.ctx.clock.nowMs()) < 10_000, 'the time orders expire by');
  t.match(welcome.config, { generation: 0, tier: Tier.TIER_MONITOR_ONLY, checks: CHECK_NAMES, requiredServices: [] });
  t.match(agents.byId(fixture.ctx.db, identity.agentId), { ...host, connected: true });
});

t.test('a report is acknowledged when it is on disk, byte for byte as it came', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  session.report(1);
  await session.acked(1);
  const [row] = reports.since(fixture.ctx.db, 0, 10);
  t.match(row, { source: identity.agentId, seq: 1 });
  const sent = sixResults(1, reports.decodeReport(row!).results[0]!.collectedAtMs);
  t.strictSame(row!.body, Buffer.from(Report.encode(sent).finish()));
  t.equal(agents.byId(fixture.ctx.db, identity.agentId)?.ackedThrough, 1);
});

t.test('nothing is acknowledged before the commit, and many reports share one acknowledgement', async (t) => {
  const fixture = await startIntake(t);
  const { ctx } = fixture;
  const session = await openTalk(fixture, await fixture.enroll());
  const behind: number[] = [];
  for (let seq = 1; seq <= 500; seq += 1) session.report(seq);
  const stop = ctx.signals.on('report', () => {
    behind.push(seqs(ctx).length);
  });
  await session.acked(500);
  stop();
  const acks = session.received.flatMap(({ message }) => (message?.$case === 'ack' ? [message.value.throughSeq] : []));
  t.strictSame(
    seqs(ctx),
    Array.from({ length: 500 }, (_, i) => i + 1),
  );
  t.ok(acks.length < 500, `${acks.length} acknowledgements`);
  t.strictSame(
    acks,
    [...acks].sort((a, b) => a - b),
    'they rise',
  );
  for (const [i, through] of acks.slice(0, behind.length).entries())
    t.ok(through <= behind[i]!, 'never ahead of the rows');
});

t.test('when the commit fails nothing is acknowledged, and what follows is not stored over the gap', async (t) => {
  const fixture = await startIntake(t);
  const { ctx } = fixture;
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  session.report(1);
  await session.acked(1);
  ctx.db.exec(`CREATE TRIGGER broken BEFORE INSERT ON report WHEN new.seq = 3 BEGIN SELECT raise(ABORT, 'no'); END`);
  for (const seq of [2, 3, 4]) session.report(seq);
  t.match(await endCode(session), /^(INTERNAL|RESOURCE_EXHAUSTED|UNAVAILABLE) /);
  const acked = session.received.flatMap(({ message }) => (message?.$case === 'ack' ? [message.value.throughSeq] : []));
  t.ok(Math.max(...acked) <= Math.max(...seqs(ctx)), 'acknowledged is stored');
  t.notOk(seqs(ctx).includes(3) || seqs(ctx).includes(4));
  ctx.db.exec('DROP TRIGGER broken');
  const again = talk(fixture, identity);
  again.say({
    $case: 'hello',
    value: { host: { hostname: 'a', osFamily: 'linux', osVersion: '', agentVersion: '' }, lastSeq: 4, bootId: 'b' },
  });
  const { ackedThrough } = await again.next('welcome');
  for (let seq = ackedThrough + 1; seq <= 4; seq += 1) again.report(seq);
  await again.acked(4);
  t.strictSame(seqs(ctx), [1, 2, 3, 4]);
});

t.test('a repeated report is acknowledged and not stored twice', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const first = await openTalk(fixture, identity);
  for (const seq of [1, 2, 3]) first.report(seq);
  await first.acked(3);
  const second = await openTalk(fixture, identity);
  t.equal(await endCode(first), 'UNAVAILABLE SESSION_REPLACED', 'the earlier session makes room');
  second.report(2);
  const ack = await second.next('ack');
  t.equal(ack.throughSeq, 3, 'with all that is there');
  second.report(4);
  await second.acked(4);
  t.strictSame(seqs(fixture.ctx), [1, 2, 3, 4]);
});

t.test('a gap ends the session and says what is expected', async (t) => {
  const fixture = await startIntake(t);
  const session = await openTalk(fixture, await fixture.enroll());
  session.report(1);
  await session.acked(1);
  session.report(3);
  const error = await session.ended;
  t.equal(`${status[error!.code]} ${errorCode(error!)}`, 'FAILED_PRECONDITION REPORT_GAP');
  t.strictSame(error!.metadata.get('expected-seq'), ['2']);
  t.strictSame(seqs(fixture.ctx), [1]);
});

t.test('what is outside the catalogue or the limits is refused by name', async (t) => {
  const fixture = await startIntake(t);
  const bad: [string, (report: Report) => void][] = [
    ['results.facts', (r) => Object.assign(r.results[0]!.facts, encodeFacts({ 'Patient name': 'x' }))],
    ['results.facts', (r) => Object.assign(r.results[0]!.facts, encodeFacts({ new_fact: 'x'.repeat(1025) }))],
    [
      'results.facts',
      (r) => Object.assign(r.results[5]!.facts, encodeFacts({ detail: Array(17).fill('x'.repeat(1000)) })),
    ],
    [
      'results.facts',
      (r) => Object.assign(r.results[5]!.facts, encodeFacts({ detail: Array(3).fill('\u0001'.repeat(1000)) })),
    ],
    ['results.check', (r) => (r.results[0]!.check = 'Registry!')],
    ['results.status', (r) => (r.results[0]!.status = 0)],
    ['results.severity', (r) => (r.results[0]!.severity = 0)],
    ['results.reason', (r) => (r.results[0]!.reason = 'x'.repeat(1025))],
    ['results.controls', (r) => (r.results[0]!.controls = Array(17).fill('HIPAA:1'))],
    ['results.collected_at_ms', (r) => (r.results[0]!.collectedAtMs = -1)],
    ['results', (r) => (r.results = [])],
    ['results', (r) => (r.results = Array(257).fill(r.results[0]))],
    ['seq', (r) => (r.seq = 0)],
  ];
  for (const [field, change] of bad) {
    const session = await openTalk(fixture, await fixture.enroll());
    session.report(1, change);
    const error = await session.ended;
    t.equal(`${status[error!.code]} ${errorCode(error!)}`, 'INVALID_ARGUMENT MESSAGE_INVALID', field);
    t.strictSame(error!.metadata.get('error-field'), [field]);
  }
  t.strictSame(seqs(fixture.ctx), []);
});

t.test('a session begins with one Hello', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const silent = talk(fixture, identity);
  silent.report(1);
  t.equal(await endCode(silent), 'FAILED_PRECONDITION HELLO_NEEDED');
  const twice = await openTalk(fixture, identity);
  const host = { hostname: 'a', osFamily: 'linux', osVersion: '', agentVersion: '' };
  twice.say({ $case: 'hello', value: { host, lastSeq: 0, bootId: '' } });
  t.equal(await endCode(twice), 'FAILED_PRECONDITION HELLO_NEEDED');
  const unknown = talk(fixture, identity);
  unknown.say({ $case: 'hello', value: { host: { ...host, osFamily: 'beos' }, lastSeq: 0, bootId: '' } });
  t.equal(await endCode(unknown), 'INVALID_ARGUMENT MESSAGE_INVALID');
});

t.test('bytes that are no message end the session and harm nobody else', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const client = fixture.client(identity);
  const stream = client.makeBidiStreamRequest(
    '/sitewarden.agent.v1.AgentService/Session',
    (value: Buffer) => value,
    (value: Buffer) => value,
  );
  const error = await new Promise<Error & { code: number }>((resolve) => {
    stream.on('error', resolve as never);
    stream.on('data', () => {});
    stream.write(Buffer.from('ff'.repeat(40), 'hex'));
  });
  t.equal(error.code, status.INVALID_ARGUMENT);
  const session = await openTalk(fixture, identity);
  session.report(1);
  await session.acked(1);
});

t.test('a report in another legal encoding is stored as the report it is', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const client = fixture.client(identity);
  const stream = client.makeBidiStreamRequest(
    '/sitewarden.agent.v1.AgentService/Session',
    (value: Buffer) => value,
    (value: Buffer) => value,
  );
  const acked = new Promise((resolve, reject) => {
    stream.on('error', reject);
    stream.on('data', (bytes: Buffer) => {
      if (bytes[0] === ((2 << 3) | 2)) resolve(undefined);
    });
  });
  const host = { hostname: 'a', osFamily: 'linux', osVersion: '', agentVersion: '' };
  const say = (message: SessionRequest['message']) => Buffer.from(SessionRequest.encode({ message }).finish());
  stream.write(say({ $case: 'hello', value: { host, lastSeq: 0, bootId: '' } }));
  // An unknown field in front: a newer agent may send one.
  stream.write(Buffer.concat([Buffer.from([(15 << 3) | 0, 7]), say({ $case: 'report', value: sixResults(1) })]));
  await acked;
  t.equal(reports.decodeReport(reports.since(fixture.ctx.db, 0, 1)[0]!).results.length, 6);
  stream.cancel();
});

t.test('a message above 1 MiB is refused', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const client = fixture.client(identity);
  const stream = client.makeBidiStreamRequest(
    '/sitewarden.agent.v1.AgentService/Session',
    (value: Buffer) => value,
    (value: Buffer) => value,
    { deadline: Date.now() + 20_000 },
  );
  const error = await new Promise<Error & { code: number }>((resolve) => {
    stream.on('error', resolve as never);
    stream.on('data', () => {});
    stream.write(Buffer.alloc(1024 * 1024 + 1, 1));
  });
  t.equal(error.code, status.RESOURCE_EXHAUSTED);
});

t.test('by default an agent may send far more than it needs, and far less than would fill the disk', async (t) => {
  const fixture = await startIntake(t, { yaml: '' });
  t.match(fixture.ctx.config.intake, { reportsPerS: 20, burst: 200 });
});

t.test('an agent that sends too fast is told how long to wait', async (t) => {
  const fixture = await startIntake(t, { yaml: ', reportsPerS: 1, burst: 3' });
  const session = await openTalk(fixture, await fixture.enroll());
  for (const seq of [1, 2, 3, 4]) session.report(seq);
  const error = await session.ended;
  t.equal(`${status[error!.code]} ${errorCode(error!)}`, 'RESOURCE_EXHAUSTED RATE_LIMITED');
  t.ok(Number(error!.metadata.get('retry-delay-ms')[0]) >= 100);
  await eventually('what came before is stored', () => (seqs(fixture.ctx).length === 3 ? true : undefined));
});

t.test('large reports count for as many as they take the room of', async (t) => {
  const fixture = await startIntake(t, { yaml: ', reportsPerS: 1, burst: 100' });
  const session = await openTalk(fixture, await fixture.enroll());
  const large = (report: Report) => {
    report.results = Array.from({ length: 200 }, () => ({
      ...report.results[5]!,
      facts: encodeFacts({ detail: Array(4).fill('x'.repeat(1000)) }),
    }));
  };
  for (const seq of [1, 2, 3]) session.report(seq, large);
  const error = await session.ended;
  t.equal(`${status[error!.code]} ${errorCode(error!)}`, 'RESOURCE_EXHAUSTED RATE_LIMITED');
  t.ok(Number(error!.metadata.get('retry-delay-ms')[0]) > 2000, 'until it would pass');
  await eventually('what came before is stored', () => (seqs(fixture.ctx).length === 1 ? true : undefined));
});

t.test('receipts of no order are held to a rate and do not fill the log', async (t) => {
  const fixture = await startIntake(t);
  const warned: object[] = [];
  fixture.ctx.log.warn = ((said: object) => void warned.push(said)) as typeof fixture.ctx.log.warn;
  const identity = await fixture.enroll();
  const orderId = 'x'.repeat(256);
  const receipt = { orderId, code: '', detail: '', before: {}, after: {}, atMs: 1 };
  const receipts = await openTalk(fixture, identity);
  for (let i = 0; i < 2000; i++) {
    receipts.say({ $case: 'orderReceipt', value: { ...receipt, state: OrderState.ORDER_STATE_DONE } });
  }
  t.equal(await endCode(receipts), 'RESOURCE_EXHAUSTED RATE_LIMITED');
  const counts = warned.filter((said) => 'count' in said);
  t.strictSame(
    counts,
    [1, 10, 100].map((count) => ({ agentId: identity.agentId, count })),
    'said at powers of ten, without words of the agent',
  );
  t.notOk(JSON.stringify(warned).includes(orderId));
  const again = talk(fixture, identity);
  const host = { hostname: 'pc-1', osFamily: 'linux', osVersion: '1', agentVersion: '0.1.0' };
  again.say({ $case: 'hello', value: { host, lastSeq: 0, bootId: 'b' } });
  // Fewer than a full bucket takes, more than comes in while a slow machine gets here.
  for (let i = 0; i < 300; i++) {
    again.say({ $case: 'orderReceipt', value: { ...receipt, state: OrderState.ORDER_STATE_DONE } });
  }
  t.equal(await endCode(again), 'RESOURCE_EXHAUSTED RATE_LIMITED', 'a new session is no new start');
});

t.test('a session keeps its heartbeat when a catch-up used up what its reports may take', async (t) => {
  const fixture = await startIntake(t, { yaml: ', reportsPerS: 1, burst: 3' });
  const session = await openTalk(fixture, await fixture.enroll());
  for (const seq of [1, 2, 3]) session.report(seq);
  await session.acked(3);
  session.say({ $case: 'heartbeat', value: { sentAtMs: 1, uptimeS: 1, queueDepth: 0, telemetry: {} } });
  await session.next('heartbeatAck');
  t.pass();
});

t.test('a bucket with less burst than one report costs lets it pass when it is full', async (t) => {
  const bucket = new TokenBucket({ perS: 10, burst: 4, nowMs: 0, refill: 2 });
  t.equal(bucket.take(0, 64), 0);
  t.equal(bucket.take(0), 200, 'half the burst is worth coming back for');
  t.equal(bucket.take(100), 0);
  t.equal(bucket.take(100, 64), 400);
});

t.test('a full disk refuses with a delay and takes in again by itself', async (t) => {
  let isFull = true;
  const assert = () => {
    if (isFull) throw applianceErrors.make('DISK_FULL', { data: { retryDelayMs: 5000 } });
  };
  const fixture = await startIntake(t, { room: { assert, onFull() {} } });
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  session.report(1);
  const error = await session.ended;
  t.equal(`${status[error!.code]} ${errorCode(error!)}`, 'RESOURCE_EXHAUSTED DISK_FULL');
  t.strictSame(error!.metadata.get('retry-delay-ms'), ['5000']);
  isFull = false;
  const again = await openTalk(fixture, identity);
  again.report(1);
  await again.acked(1);
});

t.test('PushReport answers after the commit, counts on from the session, and refuses a gap', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  session.report(1);
  await session.acked(1);
  const client = fixture.client(identity);
  const push = (seq: number) =>
    call<{ throughSeq: number }>((done) => client.pushReport({ report: sixResults(seq) }, done));
  t.strictSame(await push(2), { throughSeq: 2 });
  t.strictSame(await push(2), { throughSeq: 2 }, 'again');
  t.strictSame(seqs(fixture.ctx), [1, 2]);
  await t.rejects(push(4), { code: status.FAILED_PRECONDITION });
  await t.rejects(
    call((done) => client.pushReport({ report: undefined }, done)),
    { code: status.INVALID_ARGUMENT },
  );
});

t.test('an agent is alive from the moment its session begins', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  t.equal(agents.byId(fixture.ctx.db, identity.agentId)?.lastHeartbeatAtMs, null, 'not by enrolling');
  await openTalk(fixture, identity);
  t.type(agents.byId(fixture.ctx.db, identity.agentId)?.lastHeartbeatAtMs, 'number');
});

t.test('heartbeats are answered at once and written seldom', async (t) => {
  const fixture = await startIntake(t);
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  const beat = (n: number) => ({
    sentAtMs: n,
    uptimeS: n,
    queueDepth: 0,
    telemetry: encodeFacts({ cpu_percent: n, hostname: 'pc-1' }),
  });
  const rows = () => fixture.ctx.db.prepare('SELECT total_changes() AS n').get() as { n: number };
  await eventually('the first is on disk', () => {
    session.say({ $case: 'heartbeat', value: beat(1) });
    return agents.byId(fixture.ctx.db, identity.agentId)?.telemetry.uptime_s;
  });
  const before = rows().n;
  for (let n = 2; n <= 50; n += 1) session.say({ $case: 'heartbeat', value: beat(n) });
  for (let n = 2; n <= 50; n += 1) await session.next('heartbeatAck');
  t.ok(rows().n - before <= 4, 'fifty beats, hardly a write');
  t.match(agents.byId(fixture.ctx.db, identity.agentId)?.telemetry, { hostname: 'pc-1', uptime_s: Number });
  session.say({ $case: 'heartbeat', value: { ...beat(1), telemetry: encodeFacts({ 'Not-A-Name': 1 }) } });
  t.equal(await endCode(session), 'INVALID_ARGUMENT MESSAGE_INVALID');
});

t.test('a new configuration reaches connected agents', async (t) => {
  const fixture = await startIntake(t);
  const { ctx } = fixture;
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  const config = {
    generation: 7,
    agentTier: 1,
    agentTiers: {},
    checks: ['services'],
    requiredServices: ['cron'],
    checkIntervalMs: 5000,
    heartbeatIntervalMs: 2000,
  } as unknown as SiteConfig;
  state.set(ctx.db, 'site_config', { value: { config, envelope: '' }, atMs: 1 });
  agents.setTier(ctx.db, { id: identity.agentId, tier: 1, atMs: 1 });
  ctx.signals.emit('config');
  t.match(await session.next('config'), {
    generation: 7,
    tier: Tier.TIER_SELF_HEAL,
    checks: ['services'],
    requiredServices: ['cron'],
    checkIntervalMs: 5000,
    heartbeatIntervalMs: 2000,
  });
});

t.test(
  'an order is pushed at once, given again to a new session until it is answered, and its receipts are filed',
  async (t) => {
    const fixture = await startIntake(t);
    const { ctx } = fixture;
    const identity = await fixture.enroll();
    const nowMs = ctx.clock.nowMs();
    const order = {
      id: newId('ord'),
      agentId: identity.agentId,
      action: 'run_check',
      params: { checks: ['services'] },
      actionRunId: null,
      relayOrderId: null,
      requestedBy: 'rule:x',
      createdAtMs: nowMs,
      expiresAtMs: nowMs + 60_000,
    };
    const session = await openTalk(fixture, identity);
    agentOrders.insert(ctx.db, order);
    agentOrders.insert(ctx.db, { ...order, id: newId('ord'), expiresAtMs: nowMs });
    ctx.signals.emit('agentOrder', { agentId: identity.agentId });
    t.match(await session.next('order'), { orderId: order.id, action: 'run_check', requestedBy: 'rule:x' });
    t.equal(agentOrders.byId(ctx.db, order.id)?.state, 'delivered');
    session.close();
    const again = await openTalk(fixture, identity);
    t.equal((await again.next('order')).orderId, order.id, 'not answered yet');
    t.equal(
      again.received.filter(({ message }) => message?.$case === 'order').length,
      1,
      'one that ran out is never sent',
    );
    const receipt = { orderId: order.id, code: '', detail: 'ok', before: {}, after: encodeFacts({ state: 'running' }) };
    again.say({ $case: 'orderReceipt', value: { ...receipt, state: OrderState.ORDER_STATE_STARTED, atMs: 1 } });
    again.say({ $case: 'orderReceipt', value: { ...receipt, state: OrderState.ORDER_STATE_DONE, atMs: 2 } });
    again.say({ $case: 'orderReceipt', value: { ...receipt, state: OrderState.ORDER_STATE_FAILED, atMs: 3 } });
    await eventually('it is done', () => (agentOrders.byId(ctx.db, order.id)?.state === 'done' ? true : undefined));
    t.match(agentOrders.byId(ctx.db, order.id), { detail: 'ok', after: { state: 'running' } }, 'the first end counts');
  },
);

t.test("an agent cannot answer another agent's order", async (t) => {
  const fixture = await startIntake(t);
  const { ctx } = fixture;
  const [owner, other] = [await fixture.enroll('a'), await fixture.enroll('b')];
  const nowMs = ctx.clock.nowMs();
  const id = newId('ord');
  agentOrders.insert(ctx.db, {
    id,
    agentId: owner.agentId,
    action: 'run_check',
    params: {},
    actionRunId: null,
    relayOrderId: null,
    requestedBy: 'x',
    createdAtMs: nowMs,
    expiresAtMs: nowMs + 60_000,
  });
  const session = await openTalk(fixture, other, 'b');
  const rest = { code: '', detail: '', before: {}, after: {}, atMs: 1 };
  session.say({ $case: 'orderReceipt', value: { ...rest, orderId: id, state: OrderState.ORDER_STATE_DONE } });
  session.report(1);
  await session.acked(1);
  t.equal(agentOrders.byId(ctx.db, id)?.state, 'queued');
});

t.test('coming and going is told once each', async (t) => {
  const fixture = await startIntake(t);
  const { ctx } = fixture;
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  session.close();
  await eventually('it is gone', () => (agents.byId(ctx.db, identity.agentId)?.connected ? undefined : true));
  const told = changes
    .since(ctx.db, 0, { limit: 100 })
    .filter(({ kind }) => kind === 'agent_changed')
    .map(({ body }) => (body as { connected: boolean }).connected);
  t.strictSame(told, [true, false]);
});

/** Clients of other makes, which send whatever they are given. */
function withoutSendLimit(fixture: IntakeFixture, t: Pick<Test, 'teardown'>): IntakeFixture {
  return {
    ...fixture,
    client(own) {
      const secure = credentials.createFromSecureContext(
        createSecureContext({ ca: fixture.siteCaPem, ...(own && { key: own.keyPem, cert: own.certificatePem }) }),
      );
      const client = new AgentServiceClient(fixture.address, secure, {
        'grpc.ssl_target_name_override': APPLIANCE_SERVER_NAME,
        'grpc.default_authority': APPLIANCE_SERVER_NAME,
      });
      t.teardown(() => client.close());
      return client;
    },
  };
}

t.test('a message of 2 MiB is refused with its own code, and is none that waiting helps', async (t) => {
  const fixture = withoutSendLimit(await startIntake(t), t);
  const identity = await fixture.enroll();
  const huge = sixResults(1);
  huge.results[0]!.reason = 'x'.repeat(2 * 1024 * 1024);

  const session = await openTalk(fixture, identity);
  session.report(1, (report) => {
    report.results = huge.results;
  });
  const ended = await session.ended;
  t.equal(ended?.code, status.INVALID_ARGUMENT);
  t.equal(errorCode(ended!), 'MESSAGE_TOO_LARGE');
  t.equal(ended?.metadata.get('error-field')[0], 'report');
  t.strictSame(ended?.metadata.get('retry-delay-ms'), []);
  t.match(ended?.details, /larger than 1 MiB\. Send fewer results/);

  const pushed = await call((done) => fixture.client(identity).pushReport({ report: huge }, done)).then(
    () => t.fail('it was taken') as never,
    (error: ServiceError) => error,
  );
  t.equal(pushed.code, status.INVALID_ARGUMENT);
  t.equal(errorCode(pushed), 'MESSAGE_TOO_LARGE');
  t.strictSame(seqs(fixture.ctx), []);
});

t.test('what only a newer agent knows is left out and counted, and the rest of its report counts', async (t) => {
  const fixture = await startIntake(t);
  const { ctx } = fixture;
  const identity = await fixture.enroll();
  const session = await openTalk(fixture, identity);
  const newer = (report: Report) => {
    report.results[0]!.check = 'registry';
    report.results[1]!.status = 99 as never;
    report.results[2]!.severity = 99 as never;
    Object.assign(report.results[5]!.facts, encodeFacts({ patient_name: 'Mrs. Unknown' }));
  };
  session.report(1, newer);
  session.report(2, newer);
  await session.acked(2);
  const assess = createAssess(ctx);
  await assess.settle();
  const results = resultsOfSource(ctx.db, identity.agentId);
  t.strictSame(results.map(({ check }) => check).sort(), ['patches', 'screenlock', 'services']);
  t.notMatch(JSON.stringify(results), /patient|Mrs/);
  const { values } = await ctx.metrics.intakeUnknown.get();
  t.strictSame(
    values.map(({ labels, value }) => [labels.kind, value]),
    [
      ['check', 2],
      ['status', 2],
      ['severity', 2],
      ['fact', 2],
    ],
  );
  t.equal(reports.decodeReport(reports.since(ctx.db, 0, 1)[0]!).results[0]?.check, 'registry', 'stored as it came');
});
