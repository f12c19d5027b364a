import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { readWakePassword, type WakeReason, wakeTopic } from '@sitewarden/agent-proto/wake';
import t, { type Test } from 'tap';
import { loadIdentity } from '../../../appliance/identity/index.ts';
import type { OutboundProxy } from '../../../appliance/lib/proxy.ts';
import { createRelayClock } from '../../../appliance/lib/relay-clock.ts';
import { createWakeAccess } from '../../../appliance/lib/wake-access.ts';
import { state } from '../../../appliance/store/index.ts';
import { createWake } from '../../../appliance/wake/index.ts';
import { createPace, WAKE_PACE } from '../../../appliance/wake/pace.ts';
import { endOfConnack, endOfError, reconnectDelayMs } from '../../../appliance/wake/schedule.ts';
import { waitFor } from '../../../scripts/lib/wait.ts';
import { applianceContext } from '../../helpers/appliance-context.ts';
import { makeChain } from '../../helpers/certificates.ts';
import { startScriptedBroker } from '../../helpers/scripted-broker.ts';
import { claimRows } from '../helpers/claimed.ts';

t.setTimeout(60_000);

interface SetUp {
  url: string;
  ca?: string;
  proxy?: OutboundProxy;
  follow?: (why: WakeReason) => Promise<number | undefined>;
  random?: () => number;
}

async function setUp(t: Test, { url, ca, proxy, follow, random = () => 0 }: SetUp) {
  const base = applianceContext(t);
  const clock = { ...base.clock, nowMs: () => Date.now(), monotonicMs: () => performance.now() };
  const ctx = { ...base, clock };
  const identity = await loadIdentity({ dataDir: ctx.config.dataDir, publicHosts: [] });
  const site = claimRows(ctx, identity);
  state.set(ctx.db, 'claim', { value: { phase: 'claimed', site }, atMs: 1 });
  const asked: WakeReason[] = [];
  const access = createWakeAccess({
    url,
    ca,
    proxy,
    relayClock: createRelayClock(clock, { notBeforeMs: 0 }),
    dikFingerprint: identity.dik.fingerprint,
    sign: identity.dik.signRequest,
    userAgent: 'test',
  });
  const wake = createWake({
    ctx,
    access,
    random,
    follow: follow ?? (async (why) => void asked.push(why) as undefined),
  });
  await wake.start();
  t.teardown(() => wake.stop());
  const became = (to: string) => waitFor(`the wake-up is ${to}`, () => wake.snapshot().state === to, 10_000, 10);
  return { wake, asked, became, topic: wakeTopic(site.applianceId), identity, site };
}

const publish = (topic: string, payload: string) =>
  ({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false }) as const;

t.test('it opens nothing before a good check-in, then says who it is and listens', async (t) => {
  const broker = await startScriptedBroker(t.teardown.bind(t));
  const { wake, asked, became, topic, identity, site } = await setUp(t, broker);
  t.strictSame(wake.snapshot(), { state: 'waiting', sinceMs: null, code: null });
  wake.onCheckin(true);
  await became('connected');
  const [connect] = broker.connects;
  t.match(connect, { clientId: site.applianceId, username: identity.dik.fingerprint, clean: true, protocolVersion: 4 });
  t.not(readWakePassword(connect?.password as Buffer), undefined);
  await waitFor('what came before is asked for', () => asked.length === 1);
  broker.send(publish('a/app_other/wake', 'orders'));
  broker.send(publish(topic, 'config'));
  await waitFor('the wake is followed', () => asked.length === 2);
  t.strictSame(asked, ['orders', 'config'], 'another topic is none of its business');
});

t.test('a thousand wakes a second lead to no more requests than the pace allows, and end the connection', async (t) => {
  const broker = await startScriptedBroker(t.teardown.bind(t));
  const { wake, asked, became, topic } = await setUp(t, broker);
  wake.onCheckin(true);
  await became('connected');
  const beganMs = performance.now();
  for (let i = 0; wake.snapshot().state === 'connected'; i += 1) {
    broker.send(publish(topic, i % 2 === 0 ? 'orders' : 'config'));
    if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 10));
    if (performance.now() - beganMs > 20_000) break;
  }
  t.match(wake.snapshot(), { state: 'waiting', code: 'WAKE_FLOOD' });
  const allowed = WAKE_PACE.burst + Math.ceil((performance.now() - beganMs) / WAKE_PACE.everyMs);
  t.ok(asked.length <= allowed, `${asked.length} requests, ${allowed} allowed`);
  t.ok(asked.length > 1);
});

t.test('what a failed request asks for, to be left alone, is kept to', async (t) => {
  const broker = await startScriptedBroker(t.teardown.bind(t));
  let calls = 0;
  const follow = async () => {
    calls += 1;
    return 60_000;
  };
  const { wake, became, topic } = await setUp(t, { ...broker, follow });
  wake.onCheckin(true);
  await became('connected');
  await waitFor('the first request', () => calls === 1);
  for (let i = 0; i < 20; i += 1) broker.send(publish(topic, 'orders'));
  broker.hangUp();
  await became('waiting');
  t.equal(calls, 1);
});

t.test('a broker that hangs up is called again, each time with a new signature', async (t) => {
  const broker = await startScriptedBroker(t.teardown.bind(t));
  const { wake, became } = await setUp(t, broker);
  wake.onCheckin(true);
  await became('connected');
  broker.hangUp();
  await waitFor('it comes back', () => broker.connects.length === 2);
  await became('connected');
  const [one, two] = broker.connects.map(({ password }) => String(password));
  t.not(one, two);
});

t.test('refused for good, it waits for a good check-in, and no longer', async (t) => {
  const broker = await startScriptedBroker(t.teardown.bind(t));
  broker.returnCode = 5;
  const { wake, became } = await setUp(t, broker);
  wake.onCheckin(true);
  await became('refused');
  t.match(wake.snapshot(), { code: 'WAKE_REFUSED' });
  t.equal(broker.connects.length, 1);
  wake.onCheckin(false);
  broker.returnCode = 0;
  wake.onCheckin(true);
  await became('connected');
  t.equal(broker.connects.length, 2);
  wake.onRefused();
  t.equal(wake.snapshot().state, 'refused', 'a box the relay refuses hangs up');
});

t.test('a packet larger than a wake ends the connection', async (t) => {
  const broker = await startScriptedBroker(t.teardown.bind(t));
  const { wake, became, topic } = await setUp(t, { ...broker, random: () => 0.999 });
  wake.onCheckin(true);
  await became('connected');
  broker.send(publish(topic, 'x'.repeat(10_000)));
  await became('waiting');
  t.match(wake.snapshot(), { code: 'WAKE_LOST' });
});

t.test('over TLS only the pinned CA is believed', async (t) => {
  const [chain, foreign] = [await makeChain({ aroundMs: Date.now() }), await makeChain({ aroundMs: Date.now() })];
  const broker = await startScriptedBroker(t.teardown.bind(t), chain);
  const pinned = await setUp(t, { url: broker.url, ca: chain.ca });
  pinned.wake.onCheckin(true);
  await pinned.became('connected');
  const other = await setUp(t, { url: broker.url, ca: foreign.ca, random: () => 0.5 });
  other.wake.onCheckin(true);
  await waitFor('it gives up', () => other.wake.snapshot().code === 'WAKE_LOST');
  t.equal(broker.connects.length, 1);
});

t.test('a box behind an HTTP proxy is woken through a tunnel', async (t) => {
  const chain = await makeChain({ aroundMs: Date.now() });
  const tunnels: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    tunnels.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
    const behind = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(behind).pipe(socket);
    });
    for (const one of [socket, behind]) {
      one.on('error', () => {});
      t.teardown(() => one.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => proxy.close());
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  for (const tls of [chain, undefined]) {
    const broker = await startScriptedBroker(t.teardown.bind(t), tls);
    const { wake, became } = await setUp(t, {
      url: broker.url,
      ...(tls === undefined ? {} : { ca: tls.ca }),
      proxy: { url, credentials: 'box:secret' },
    });
    wake.onCheckin(true);
    await became('connected');
    t.equal(tunnels.at(-1), `127.0.0.1:${broker.port} Basic ${Buffer.from('box:secret').toString('base64')}`);
  }
});

t.test('an end says what to do next', async (t) => {
  t.strictSame(
    [3, 4, 5].map((code) => endOfConnack(code).kind),
    ['busy', 'refused', 'refused'],
  );
  const kinds = [429, 503, 404, 200].map(
    (status) => endOfError(new Error(`Unexpected server response: ${status}`)).kind,
  );
  t.strictSame(kinds, ['busy', 'busy', 'absent', 'absent']);
  t.equal(endOfError(undefined).kind, 'lost');
  const most = () => 0.999_999;
  t.equal(reconnectDelayMs({ kind: 'refused', attempt: 0, random: most }), undefined);
  t.equal(reconnectDelayMs({ kind: 'lost', attempt: 0, random: most }), 999);
  t.equal(reconnectDelayMs({ kind: 'lost', attempt: 50, random: most }), 59_999);
  t.equal(reconnectDelayMs({ kind: 'busy', attempt: 0, random: () => 0 }), 60_000);
  t.equal(reconnectDelayMs({ kind: 'absent', attempt: 0, random: () => 0 }), 300_000);
});

t.test('a minute of wakes is at most twenty requests, and ten in each minute after', async (t) => {
  const pace = createPace(WAKE_PACE);
  const gone = [0, 0, 0];
  for (let ms = 0; ms < 180_000; ms += 1) if (pace.take(ms) === 0) gone[Math.floor(ms / 60_000)]! += 1;
  t.strictSame(gone, [19, 10, 10]);
});
