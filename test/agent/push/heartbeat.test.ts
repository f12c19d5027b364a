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
  });
  pulse.start();
  pulse.stop();
  measured({ uptime_s: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(asked, []);
});

t.test('a beat carries what was measured and what the agent says of itself', async (t) => {
  const sent = await new Promise<{ uptimeS: number; telemetry: object }>((resolve) => {
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
    });
    pulse.start();
    t.teardown(pulse.stop);
  });
  t.equal(sent.uptimeS, 7);
  t.strictSame(Object.keys(sent.telemetry).sort(), ['reports_lost', 'uptime_s']);
});
