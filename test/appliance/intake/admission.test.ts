import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { createAgentConnections } from '../../../appliance/intake/agent-connections.ts';
import { awaitFirstRecord } from '../../../appliance/intake/first-record.ts';
import { createHandshakeQueue } from '../../../appliance/intake/handshake-queue.ts';
import { eventually } from '../../helpers/appliance-context.ts';

const RULES = { maxActive: 2, maxWaiting: 6, yieldAfterMs: 150, lifetimeMs: 10_000 };

/** Pairs of connected sockets; `open` answers the near and the far end of one from this address of the loopback network. */
async function startPairs(t: Test) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const all = new Set<Socket>();
  t.teardown(() => {
    for (const socket of all) socket.destroy();
    server.close();
  });
  return async (localAddress = '127.0.0.1') => {
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const far = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', localAddress });
    const near = await accepted;
    for (const socket of [near, far]) all.add(socket.on('error', () => {}));
    return { near, far };
  };
}

t.test('handshakes get their turns address by address, a few at a time', async (t) => {
  const open = await startPairs(t);
  const begun: Socket[] = [];
  const queue = createHandshakeQueue(RULES, (socket) => begun.push(socket));
  const many = [await open(), await open(), await open(), await open()].map(({ near }) => near);
  const { near: other } = await open('127.0.0.2');
  for (const socket of [...many, other]) queue.add(socket);
  await eventually('two begin', () => (begun.length === 2 ? true : undefined));
  t.strictSame([queue.active, queue.waiting], [2, 3]);
  t.ok(begun[0] === many[0] && begun[1] === other, 'the one that came last does not wait for all of the others');
  queue.done(many[0]!);
  await eventually('the next begins', () => (begun.length === 3 ? true : undefined));
  t.ok(begun[2] === many[1], 'in the order they came');
});

t.test('a handshake that stands still is cut when others wait, and not before', async (t) => {
  const open = await startPairs(t);
  const begun: Socket[] = [];
  const queue = createHandshakeQueue(RULES, (socket) => begun.push(socket));
  const first = [(await open()).near, (await open()).near];
  for (const socket of first) queue.add(socket);
  await eventually('both begin', () => (begun.length === 2 ? true : undefined));
  await new Promise((resolve) => setTimeout(resolve, RULES.yieldAfterMs * 2));
  t.notOk(
    first.some(({ destroyed }) => destroyed),
    'nobody waits',
  );
  queue.add((await open()).near);
  await eventually('it gets a turn', () => (begun.length === 3 ? true : undefined));
  t.strictSame(
    first.map(({ destroyed }) => destroyed),
    [true, false],
    'of the oldest',
  );
});

t.test('when too many wait, the address with the most loses its newest', async (t) => {
  const open = await startPairs(t);
  const queue = createHandshakeQueue({ ...RULES, maxActive: 0 }, () => t.fail('no turns here'));
  const crowd: Socket[] = [];
  for (let i = 0; i < RULES.maxWaiting; i += 1) crowd.push((await open()).near);
  for (const socket of crowd) queue.add(socket);
  const { near } = await open('127.0.0.3');
  queue.add(near);
  t.equal(queue.waiting, RULES.maxWaiting);
  t.ok(crowd.at(-1)?.destroyed);
  t.notOk(near.destroyed || crowd[0]?.destroyed);
});

t.test('a connection waits for its turn only when its first message is whole, and loses no byte', async (t) => {
  const open = await startPairs(t);
  const { near, far } = await open();
  const hello = Buffer.from([22, 3, 1, 0, 4, 9, 8, 7, 6]);
  let isWhole = false;
  awaitFirstRecord(near, () => {
    isWhole = true;
  });
  const isRead = (bytes: number) => eventually('it is read', () => (near.bytesRead >= bytes ? true : undefined));
  for (const [index, byte] of hello.entries()) {
    t.notOk(isWhole, `${index} bytes`);
    far.write(Buffer.from([byte]));
    await isRead(index + 1);
  }
  await eventually('it is whole', () => isWhole || undefined);
  t.strictSame(near.read(), hello);
});

t.test('what is no TLS at all is passed on at once', async (t) => {
  const open = await startPairs(t);
  const { near, far } = await open();
  const passed = new Promise<void>((resolve) => awaitFirstRecord(near, resolve));
  far.write('G');
  await passed;
  t.equal(String(near.read()), 'G');
});

t.test('an agent without a connection gets the place of one that another has too many', async (t) => {
  const open = await startPairs(t);
  const connections = createAgentConnections({ max: 3, maxPerAgent: 3 });
  const two = [(await open()).near, (await open()).near];
  const one = (await open()).near;
  for (const socket of two) t.ok(connections.admit(socket, 'a'));
  t.ok(connections.admit(one, 'b'));
  const newcomer = (await open()).near;
  t.ok(connections.admit(newcomer, 'c'));
  t.ok(two[0]?.destroyed, 'the oldest of the agent with two');
  t.notOk(two[1]?.destroyed || one.destroyed);
  t.notOk(connections.admit((await open()).near, 'd'), 'each has one: nobody is cut for another');
  t.notOk(two[1]?.destroyed || one.destroyed || newcomer.destroyed);
  const again = (await open()).near;
  t.ok(connections.admit(again, 'b'), 'an agent that comes back takes the place of what it left behind');
  t.ok(one.destroyed);
  t.equal(connections.size, 3);
  again.destroy();
  await eventually('a place is free', () => (connections.size === 2 ? true : undefined));
});
