import { AGENT_LIMITS } from '@sitewarden/agent-proto/agent';
import type { ServiceManager } from '@sitewarden/kit/services';
import { detectServiceManager } from '@sitewarden/kit/services';
import t from 'tap';
import { COLLECTORS, type Collector, runChecks } from '../../../agent/collect/index.ts';

const services: ServiceManager = detectServiceManager();
const defender = COLLECTORS.find(({ name }) => name === 'defender')!;
const required = COLLECTORS.find(({ name }) => name === 'services')!;

const run = (collectors: Collector[], options: { timeoutMs?: number; requiredServices?: string[] } = {}) =>
  runChecks({
    checks: collectors.map(({ name }) => name),
    requiredServices: [],
    services,
    collectors,
    ...options,
  });

t.test('a collector that throws gives unknown without its words, and the others go on', async (t) => {
  const thrower: Collector = {
    ...defender,
    collect: async () => {
      throw Object.assign(new Error('/home/mary/secret'), { code: 'EACCES' });
    },
  };
  const outcomes = await run([thrower, { ...required }]);
  t.match(outcomes, [
    { check: 'defender', status: 'unknown', reason: /failed with EACCES/ },
    { check: 'services', status: 'not_applicable' },
  ]);
  t.notMatch(JSON.stringify(outcomes), /mary/);
});

t.test('a collector that hangs gives unknown when its time is up, and its signal fires', async (t) => {
  let signal: AbortSignal | undefined;
  const hanger: Collector = {
    ...defender,
    collect: (context) => {
      signal = context.signal;
      return new Promise(() => {});
    },
  };
  const [outcome] = await run([hanger], { timeoutMs: 50 });
  t.match(outcome, { status: 'unknown', reason: /No answer within 0.05 s/ });
  t.equal(signal?.aborted, true);
});

t.test('each required service gets its own unknown when nothing could be asked', async (t) => {
  const hanger: Collector = { ...required, collect: () => new Promise(() => {}) };
  const outcomes = await run([hanger], { timeoutMs: 50, requiredServices: ['a', 'b'] });
  t.match(outcomes, [
    { subject: 'a', status: 'unknown' },
    { subject: 'b', status: 'unknown' },
  ]);
});

t.test('on a platform a collector does not know the result is unknown', async (t) => {
  const [outcome] = await run([{ ...defender, platforms: [] }]);
  t.match(outcome, { status: 'unknown', reason: /cannot look at this on/ });
});

t.test('a check nobody knows is reported as unknown under its name', async (t) => {
  const outcomes = await runChecks({ checks: ['quantum'], requiredServices: [], services });
  t.match(outcomes, [{ check: 'quantum', status: 'unknown', facts: {}, controls: [] }]);
});

t.test('facts outside the catalogue and beyond the bounds are cut', async (t) => {
  const chatty: Collector = {
    ...defender,
    collect: async () => [
      {
        subject: '',
        facts: {
          engine: 'x'.repeat(5000),
          engines_found: Array.from({ length: 500 }, () => 'y'.repeat(5000)),
          user_name: 'mary',
          signature_age_days: 1.5,
        },
      },
    ],
  };
  const [outcome] = await run([chatty]);
  t.strictSame(Object.keys(outcome!.facts).sort(), ['engine', 'engines_found']);
  t.equal((outcome!.facts.engine as string).length, AGENT_LIMITS.maxFactTextChars);
  const found = outcome!.facts.engines_found as string[];
  t.equal(found.length, 14, 'as many as a result has room for');
  t.ok(found.every(({ length }) => length === AGENT_LIMITS.maxFactTextChars));
});

t.test('checks run side by side', async (t) => {
  let together = 0;
  let most = 0;
  const slow = (name: 'defender' | 'firewall'): Collector => ({
    ...defender,
    name,
    collect: async () => {
      most = Math.max(most, ++together);
      await new Promise((resolve) => setTimeout(resolve, 50));
      together--;
      return [{ subject: '', facts: {} }];
    },
  });
  await run([slow('defender'), slow('firewall')]);
  t.equal(most, 2);
});
