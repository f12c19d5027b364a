import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { makeNonce } from '@sitewarden/agent-proto/http-signature';
import { WAKE_LIMITS, wakePassword, wakeSigner } from '@sitewarden/agent-proto/wake';
import mqttPacket from 'mqtt-packet';
import t, { type Test } from 'tap';
import { seedPartner, seedSite, startTestRelay } from '../../helpers/relay.ts';
import { connectOptions, connectWake, subscribeWake, wakeTopic } from '../../helpers/wake-client.ts';

t.setTimeout(120_000);
const relay = await startTestRelay(t.teardown.bind(t));
const partnerId = await seedPartner(relay.store);
const admin = await relay.staff(partnerId, 'admin');
const origin = relay.publicUrl;
const wsUrl = `${relay.url.replace('http', 'ws')}/mqtt`;

async function claimed() {
  const site = await seedSite(relay.store, partnerId, `Site ${makeNonce()}`);
  return { ...site, ...(await relay.claim(admin, site.siteId)) };
}
type Claimed = Awaited<ReturnType<typeof claimed>>;

async function listening({ box, applianceId }: Claimed) {
  const client = await connectWake(wsUrl, connectOptions(box, { origin, applianceId }));
  t.teardown(() => client.close());
  t.equal(await subscribeWake(client, wakeTopic(applianceId)), 0);
  return client;
}

const counters = async (): Promise<string> => (await fetch(`${relay.url}/metrics`)).text();
async function counted(metric: string): Promise<number> {
  const line = (await counters()).split('\n').find((one) => one.startsWith(`${metric} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}
const refusals = (code: string) => counted(`relay_wake_refusals_total{code="${code}"}`);

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + 10_000; performance.now() < endMs; ) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within 10 s: ${what}`);
}

t.test('an order and another configuration wake the box of their site and no other', async (t) => {
  const [one, other] = [await claimed(), await claimed()];
  const [client, deaf] = [await listening(one), await listening(other)];
  const order = await admin.request('POST', `/api/sites/${one.siteId}/orders`, { action: 'run_check' });
  t.equal(order.status, 201);
  t.equal(await client.next(), 'orders');
  const changed = await admin.request('PATCH', `/api/sites/${one.siteId}`, { name: 'Another name' });
  t.equal(changed.status, 200, JSON.stringify(changed.body));
  t.equal(await client.next(), 'config');
  t.strictSame(deaf.heard, []);
});

t.test('a box that is to leave is not woken: until its next check-in people can take it back', async (t) => {
  const [one, other] = [await claimed(), await claimed()];
  const [leaves, moves] = [await listening(one), await listening(other)];
  const { siteId: toSiteId } = await seedSite(relay.store, partnerId, `Site ${makeNonce()}`);
  const reason = 'the clinic moves';
  const ordered = [
    await admin.call('orderRelease', {
      params: { siteId: one.siteId },
      body: { applianceId: one.applianceId, reason },
    }),
    await admin.call('transferBox', {
      params: { siteId: other.siteId },
      body: { applianceId: other.applianceId, reason, toSiteId },
    }),
  ];
  for (const { status, body } of ordered) t.equal(status, 200, JSON.stringify(body));
  for (const { siteId } of [one, other]) relay.services.wakes.wake(siteId, 'orders');
  for (const client of [leaves, moves]) t.equal(await client.next(), 'orders', 'nothing came before');
});

t.test('a hundred orders at once are a few wakes', async (t) => {
  const one = await claimed();
  const client = await listening(one);
  for (let i = 0; i < 100; i += 1) relay.services.wakes.wake(one.siteId, 'orders');
  t.equal(await client.next(), 'orders');
  t.equal(await client.next(), 'orders');
  relay.services.wakes.wake(one.siteId, 'config');
  t.equal(await client.next(), 'config', 'nothing came between');
});

t.test('who cannot prove to be a box in service is refused with the code of why', async (t) => {
  const one = await claimed();
  const { box, applianceId } = one;
  const good = () => connectOptions(box, { origin, applianceId });
  const stranger = await relay.box();
  const refused = async (name: string, options: object, code: number, metric: string) => {
    const before = await refusals(metric);
    await t.rejects(connectWake(wsUrl, { ...good(), ...options }), { code }, name);
    t.equal(await refusals(metric), before + 1, `${name} is counted as ${metric}`);
  };
  const forged = { ...JSON.parse(String(good().password)), signature: `sw=:${randomBytes(64).toString('base64')}:` };
  await refused('a forged signature', { password: JSON.stringify(forged) }, 4, 'SIGNATURE_INVALID');
  const elsewhere = connectOptions(box, { origin: 'https://other.example', applianceId }).password;
  await refused('a password for another relay', { password: elsewhere }, 4, 'SIGNATURE_INVALID');
  await refused('no password', { password: undefined }, 4, 'SIGNATURE_MISSING');
  await refused('a password that is none', { password: 'secret' }, 4, 'SIGNATURE_MALFORMED');
  const late = { origin, applianceId, createdS: Math.floor(Date.now() / 1000) - 400 };
  await refused('an old one', connectOptions(box, late), 4, 'CLOCK_SKEW');
  await refused("another box's client id", { clientId: 'app_other' }, 5, 'BODY_INVALID');
  await refused('another username', { username: stranger.fingerprint }, 5, 'BODY_INVALID');
  await refused('an unknown key', connectOptions(stranger, { origin, applianceId }), 5, 'APPLIANCE_UNKNOWN');
  await refused(
    'a will',
    { will: { topic: 'a', payload: Buffer.from('x'), qos: 0, retain: false } },
    5,
    'WILL_REFUSED',
  );
  await refused('a lasting session', { clean: false }, 5, 'SESSION_REFUSED');
  await refused('no keep alive', { keepalive: 0 }, 5, 'KEEPALIVE_REFUSED');
  const once_ = good();
  const client = await connectWake(wsUrl, once_);
  t.teardown(() => client.close());
  await refused('the same CONNECT again', once_, 4, 'NONCE_REPLAYED');
  const signed = JSON.parse(String(once_.password)) as Record<string, string>;
  const answer = await fetch(`${relay.url}/api/appliances/orders`, { headers: signed });
  t.equal(answer.status, 401, 'and it opens nothing over HTTP');
  const used = makeNonce();
  t.equal((await box.send('/api/appliances/orders', { nonce: used })).status, 200);
  const password = wakePassword(wakeSigner(box.fingerprint, box.dikPrivate), {
    origin,
    createdS: Math.floor(Date.now() / 1000),
    nonce: used,
  });
  await refused('a nonce that a request used', { password }, 4, 'NONCE_REPLAYED');
});

t.test('a box listens to its own topic, to nothing else, and publishes nothing', async (t) => {
  const [one, other] = [await claimed(), await claimed()];
  const client = await connectWake(wsUrl, connectOptions(one.box, { origin, applianceId: one.applianceId }));
  t.teardown(() => client.close());
  for (const topic of [
    wakeTopic(other.applianceId),
    '#',
    'a/+/wake',
    '$SYS/#',
    'a/#',
    `${wakeTopic(one.applianceId)}/x`,
  ])
    t.equal(await subscribeWake(client, topic), 128, topic);
  t.equal(await subscribeWake(client, wakeTopic(one.applianceId), 1), 128, 'QoS 1');
  t.equal(await subscribeWake(client, wakeTopic(one.applianceId)), 0);
  const victim = await listening(other);
  client.mqtt.publish(wakeTopic(other.applianceId), 'orders');
  await client.closed;
  t.ok((await refusals('PACKET_NOT_ALLOWED')) >= 1);
  relay.services.wakes.wake(other.siteId, 'config');
  t.equal(await victim.next(), 'config', 'what it published reached nobody');
});

t.test('the newest connection of a box is the one that works', async (t) => {
  const one = await claimed();
  const older = await listening(one);
  const newer = await listening(one);
  await older.closed;
  relay.services.wakes.wake(one.siteId, 'orders');
  t.equal(await newer.next(), 'orders');
  t.strictSame(older.heard, []);
});

t.test('a box that is removed is cut off at once and not let in again', async (t) => {
  const one = await claimed();
  const client = await listening(one);
  const body = { applianceId: one.applianceId, reason: 'lost on the way' };
  const answer = await admin.request('POST', `/api/sites/${one.siteId}/appliance/remove`, body);
  t.equal(answer.status, 200, JSON.stringify(answer.body));
  await client.closed;
  await t.rejects(connectWake(wsUrl, connectOptions(one.box, { origin, applianceId: one.applianceId })), { code: 5 });
});

t.test('a box in quarantine is cut off', async (t) => {
  const one = await claimed();
  const client = await listening(one);
  await relay.store.inTenant(partnerId, (trx) =>
    trx.updateTable('appliance').set({ state: 'quarantined' }).where('id', '=', one.applianceId).execute(),
  );
  relay.services.boxes.forget(one.applianceId);
  await client.closed;
  t.ok((await refusals('APPLIANCE_QUARANTINED')) >= 1);
  await t.rejects(connectWake(wsUrl, connectOptions(one.box, { origin, applianceId: one.applianceId })), { code: 5 });
});

const ASK = [
  'GET /mqtt HTTP/1.1',
  'Host: relay',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
function rawSocket(t: Test, lines: readonly string[]): Socket {
  const socket = connect(Number(new URL(relay.url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return socket;
}
async function firstLine(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString('latin1').split('\r\n')[0] as string;
}

t.test('an upgrade to anything else is answered as a plain request', async (t) => {
  t.equal(await firstLine(rawSocket(t, ASK)), 'HTTP/1.1 426 Upgrade Required', 'no subprotocol');
  const health = ASK.map((line) => line.replace('/mqtt', '/health'));
  t.equal(await firstLine(rawSocket(t, health)), 'HTTP/1.1 200 OK', 'another address');
  const h2c = ['GET /mqtt HTTP/1.1', 'Host: relay', 'Connection: Upgrade', 'Upgrade: h2c'];
  t.equal(await firstLine(rawSocket(t, h2c)), 'HTTP/1.1 426 Upgrade Required', 'another protocol');
  const plain = await fetch(`${relay.url}/mqtt`);
  t.equal(plain.status, 426);
  t.match(await plain.json(), { code: 'UPGRADE_REQUIRED' });
  const old = [
    ...ASK.filter((line) => !line.includes('Version')),
    'Sec-WebSocket-Version: 7',
    'Sec-WebSocket-Protocol: mqtt',
  ];
  t.match(await firstLine(rawSocket(t, old)), /^HTTP\/1.1 4/, 'another version');
});

/** A client frame of binary data. */
function frame(data: Uint8Array): Buffer {
  const mask = randomBytes(4);
  const head = data.length < 126 ? [0x82, 0x80 | data.length] : [0x82, 0xfe, data.length >> 8, data.length & 255];
  return Buffer.concat([Buffer.from(head), mask, Buffer.from(data.map((byte, i) => byte ^ (mask[i % 4] as number)))]);
}
async function openSocket(t: Test): Promise<Socket> {
  const socket = rawSocket(t, [...ASK, 'Sec-WebSocket-Protocol: mqtt']);
  t.equal(await firstLine(socket), 'HTTP/1.1 101 Switching Protocols');
  return socket;
}

t.test('oversized packets are cut before they are there, and rubbish does no harm', async (t) => {
  const large = await openSocket(t);
  large.write(frame(Uint8Array.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4])));
  await once(large, 'close');
  t.ok((await refusals('PACKET_TOO_LARGE')) >= 1, 'one that names 256 MiB');
  const wide = await openSocket(t);
  wide.write(frame(new Uint8Array(WAKE_LIMITS.maxPacketBytes + 1)));
  await once(wide, 'close');
  for (let i = 0; i < 40; i += 1) {
    const socket = await openSocket(t);
    // Begins as a packet that is allowed, so that the parser gets to see it.
    const rubbish = Buffer.concat([
      Buffer.from([[0x10, 0x82, 0xa2, 0xc0, 0xe0][i % 5] as number, 60]),
      randomBytes(60),
    ]);
    socket.write(frame(rubbish));
    socket.write(frame(randomBytes(40)));
    await once(socket, 'close');
  }
  t.equal((await fetch(`${relay.url}/health`)).status, 200);
});

t.test('500 idle sockets are held to a few and cut within seconds, and boxes still come in', async (t) => {
  const one = await claimed();
  const sockets = Array.from({ length: 500 }, () => rawSocket(t, [...ASK, 'Sec-WebSocket-Protocol: mqtt']));
  for (const socket of sockets) socket.resume();
  const gone = Promise.all(sockets.map((socket) => (socket.destroyed ? undefined : once(socket, 'close'))));
  await until('the surplus is refused', async () => (await refusals('RATE_LIMITED')) >= 400);
  const beganMs = performance.now();
  await gone;
  t.ok(performance.now() - beganMs < WAKE_LIMITS.connectWithinMs + 5000, 'all are gone');
  t.ok((await refusals('CONNECT_LATE')) >= 1);
  await listening(one);
});

t.test('a half CONNECT does not stop the clock', async (t) => {
  const socket = await openSocket(t);
  const bytes = mqttPacket.generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: 'x',
    keepalive: 45,
  });
  socket.write(frame(bytes.subarray(0, bytes.length - 1)));
  const beganMs = performance.now();
  await once(socket, 'close');
  t.ok(performance.now() - beganMs < WAKE_LIMITS.connectWithinMs + 3000);
});
