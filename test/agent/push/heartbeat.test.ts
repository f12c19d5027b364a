import { systemClock } from '@sitewarden/kit/time';
import t from 'tap';
import { createHeartbeat } from '../../../agent/push/heartbeat.ts';

t.test('a pulse that stopped while the host was measured sends nothing and asks nothing', async (t) => {
  const asked: string[] = [];
  let measured: (facts: Record<string, number>) => void = () => {};
  const pulse = createHeartbeat({
    intervalMs: () => 60_000,
    measure: () => new Promise((resolve) => (measured = resolve)),
    ownFacts() {
      asked.push('own facts');
      throw new Error('the store is closed');
    },
    clock: systemClock,
    queueDepth: () => 0,
    send: () => asked.push('send'),
    onSilence: () => asked.push('silence'),
    onFault: () => asked.push('fault'),
  });
  pulse.start();
  pulse.stop();
  measured({ uptime_s: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(asked, []);
});

t.test('a beat carries what was measured and what the agent says of itself', async (t) => {
  const sent = await new Promise<{ uptimeS: number; telemetry: object }>((resolve, reject) => {
    const pulse = createHeartbeat({
      intervalMs: () => 60_000,
      measure: async () => ({ uptime_s: 7 }),
      ownFacts: () => ({ reports_lost: 2 }),
      clock: systemClock,
      queueDepth: () => 0,
      send(heartbeat) {
        pulse.stop();
        resolve(heartbeat);
      },
      onSilence: () => {},
      onFault: reject,
    });
    pulse.start();
    t.teardown(pulse.stop);
  });
  t.equal(sent.uptimeS, 7);
  t.strictSame(Object.keys(sent.telemetry).sort(), ['reports_lost', 'uptime_s']);
});

t.test('a store that cannot be read costs a beat and is told, and does not end the process', async (t) => {
  const faults: unknown[] = [];
  let tries = 0;
  await new Promise<void>((resolve) => {
    const pulse = createHeartbeat({
      intervalMs: () => 5,
      measure: async () => ({ uptime_s: 7 }),
      ownFacts() {
        tries += 1;
        if (tries <= 2) throw new Error('disk I/O error');
        return {};
      },
      clock: systemClock,
      queueDepth: () => 0,
      send() {
        pulse.stop();
        resolve();
      },
      onSilence: () => {},
      onFault: (error) => faults.push(error),
    });
    pulse.start();
    t.teardown(pulse.stop);
  });
  t.match(faults, [{ message: 'disk I/O error' }, { message: 'disk I/O error' }], 'the first beat and a later one');
});
