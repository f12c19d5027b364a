import { createLifecycle, type LifecyclePart } from '@sitewarden/kit/lifecycle';
import t from 'tap';

function recorder() {
  const steps: string[] = [];
  const part = (name: string, more: Partial<LifecyclePart> = {}): LifecyclePart => ({
    name,
    start: async () => {
      steps.push(`start ${name}`);
      await more.start?.();
    },
    stop: async () => {
      steps.push(`stop ${name}`);
      await more.stop?.();
    },
  });
  return { steps, part };
}

t.test('parts start in order and stop in reverse, once', async (t) => {
  const { steps, part } = recorder();
  const lifecycle = createLifecycle([part('store'), part('intake'), part('uplink')]);
  await lifecycle.start();
  t.strictSame(lifecycle.running, ['store', 'intake', 'uplink']);
  t.strictSame(await lifecycle.stop(), []);
  t.strictSame(await lifecycle.stop(), []);
  t.strictSame(steps, ['start store', 'start intake', 'start uplink', 'stop uplink', 'stop intake', 'stop store']);
  t.strictSame(lifecycle.running, []);
});

t.test('a failed start stops what was started and throws its own error', async (t) => {
  const { steps, part } = recorder();
  const fault = new Error('port taken');
  const failing = part('intake', { start: () => Promise.reject(fault) });
  const lifecycle = createLifecycle([part('store'), failing, part('uplink')]);
  await t.rejects(lifecycle.start(), fault);
  t.strictSame(steps, ['start store', 'start intake', 'stop store']);
});

t.test('a part that does not stop in time or throws does not keep the others running', async (t) => {
  const { steps, part } = recorder();
  const hangs = part('hangs', { stop: () => new Promise(() => {}) });
  const throws = part('throws', { stop: () => Promise.reject(new Error('no')) });
  const lifecycle = createLifecycle([part('store'), throws, hangs], { stopTimeoutMs: 30 });
  await lifecycle.start();
  const faults = await lifecycle.stop();
  t.match(faults, [{ code: 'LIFECYCLE_STOP_TIMEOUT', message: /^hangs/ }, { message: 'no' }]);
  t.equal(steps.at(-1), 'stop store');
});

t.test('a stop during the start ends it early and leaves nothing running', async (t) => {
  const { steps, part } = recorder();
  const gate = Promise.withResolvers<void>();
  const lifecycle = createLifecycle([part('store'), part('slow', { start: () => gate.promise }), part('never')]);
  const starting = lifecycle.start();
  await new Promise(setImmediate);
  const stopping = lifecycle.stop();
  gate.resolve();
  await Promise.all([starting, stopping]);
  t.strictSame(steps, ['start store', 'start slow', 'stop store', 'stop slow']);
  t.strictSame(lifecycle.running, []);
});

t.test('each step is told with its part', async (t) => {
  const told: unknown[] = [];
  const note = (object: object, text: string) => void told.push({ ...object, text });
  const log = { info: note, error: note };
  const lifecycle = createLifecycle([{ name: 'store', start() {}, stop() {} }], { log });
  await lifecycle.start();
  await lifecycle.stop();
  t.match(told, [
    { part: 'store', tookMs: Number, text: 'started' },
    { part: 'store', tookMs: Number, text: 'stopped' },
  ]);
});
