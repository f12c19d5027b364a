import t from 'tap';
import { createEventStream, createLiveBus, type LiveChange } from '../../../relay/live/index.ts';

const change = (over: Partial<LiveChange> = {}): LiveChange => ({ kind: 'site', siteId: 'site_a', atMs: 1, ...over });

t.test('a change reaches the listeners of its tenant only, until they stop', (t) => {
  const bus = createLiveBus();
  const heard: string[] = [];
  const stop = bus.subscribe('p1', { onChange: ({ siteId }) => heard.push(`a ${siteId}`) });
  bus.subscribe('p1', { onChange: ({ siteId }) => heard.push(`b ${siteId}`) });
  bus.subscribe('p2', { onChange: () => heard.push('foreign') });
  bus.publish('p1', change());
  stop();
  stop();
  bus.publish('p1', change({ siteId: null }));
  bus.publish('p3', change());
  t.same(heard, ['a site_a', 'b site_a', 'b null']);
  t.same(bus.tenants().sort(), ['p1', 'p2']);
  t.equal(bus.hasListeners('p3'), false);
  t.end();
});

t.test('a listener that throws disturbs nobody', (t) => {
  const errors: unknown[] = [];
  const bus = createLiveBus({ onError: (error) => errors.push(error) });
  const heard: string[] = [];
  bus.subscribe('p', {
    onChange: () => {
      throw new Error('page');
    },
  });
  bus.subscribe('p', { onChange: ({ kind }) => heard.push(kind) });
  bus.publish('p', change());
  t.same(heard, ['site']);
  t.equal(errors.length, 1);
  t.end();
});

function open(over: Partial<Parameters<typeof createEventStream>[0]> = {}) {
  const bus = createLiveBus();
  const stream = createEventStream({
    bus,
    partnerId: 'p',
    nowMs: () => 42,
    isAlive: async () => true,
    tickMs: 20,
    sessionCheckMs: 10,
    ...over,
  });
  const events: { event: string; data: unknown }[] = [];
  const waiting: { count: number; resolve(): void }[] = [];
  const read = () =>
    stream.on('data', (chunk: Buffer) => {
      for (const block of chunk.toString().split('\n\n')) {
        const match = /^event: (.*)\ndata: (.*)$/.exec(block);
        if (match) events.push({ event: match[1] as string, data: JSON.parse(match[2] as string) });
      }
      for (const waiter of waiting.filter(({ count }) => events.length >= count)) waiter.resolve();
    });
  const until = (count: number) =>
    new Promise<void>((resolve) => (events.length >= count ? resolve() : waiting.push({ count, resolve })));
  return { bus, stream, events, read, until };
}

t.test('a page hears a tick at once and one each interval', async (t) => {
  const { stream, events, read, until } = open();
  read();
  await until(3);
  t.same(events.slice(0, 3), Array(3).fill({ event: 'tick', data: { asOfMs: 42 } }));
  stream.destroy();
});

t.test('changes of one kind and site within a moment are one event', async (t) => {
  const { bus, stream, events, read, until } = open({ tickMs: 60_000 });
  read();
  for (let n = 0; n < 50; n += 1) bus.publish('p', change({ atMs: n }));
  bus.publish('p', change({ kind: 'incidents' }));
  await until(3);
  t.same(events.slice(1), [
    { event: 'change', data: { kind: 'site', siteId: 'site_a', atMs: 49 } },
    { event: 'change', data: { kind: 'incidents', siteId: 'site_a', atMs: 1 } },
  ]);
  stream.destroy();
});

t.test('the stream ends with the session, and listens no more', async (t) => {
  let isAlive = true;
  const { bus, stream, events, read } = open({ isAlive: async () => isAlive, tickMs: 60_000 });
  read();
  const ended = new Promise((resolve) => stream.once('end', resolve));
  isAlive = false;
  await ended;
  t.equal(events.at(-1)?.event, 'end');
  t.equal(bus.hasListeners('p'), false);
});

t.test('a store that fails for a moment ends no stream', async (t) => {
  let asked = 0;
  const { stream, read, until, events } = open({
    isAlive: async () => {
      asked += 1;
      throw new Error('away');
    },
  });
  read();
  await until(5);
  t.ok(asked > 1);
  t.ok(events.every(({ event }) => event === 'tick'));
  stream.destroy();
});

t.test('a client that does not read is cut and costs a bounded buffer', async (t) => {
  const { bus, stream } = open({ tickMs: 1, sessionCheckMs: 60_000 });
  const closed = new Promise((resolve) => stream.once('close', resolve));
  let held = 0;
  for (let n = 0; !stream.destroyed && n < 100_000; n += 1) {
    bus.publish('p', change({ siteId: `site_${n}` }));
    if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    held = Math.max(held, stream.readableLength);
  }
  await closed;
  t.ok(stream.destroyed);
  t.ok(held < 200_000, `${held} bytes were held`);
  t.equal(bus.hasListeners('p'), false);
});

t.test('a program that stops ends every stream', async (t) => {
  const { bus, stream, read } = open();
  read();
  const ended = new Promise((resolve) => stream.once('end', resolve));
  bus.close();
  await ended;
  t.equal(bus.hasListeners('p'), false);
});
