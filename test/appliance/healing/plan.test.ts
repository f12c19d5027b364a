import { ACTION_RUN_STATES } from '@sitewarden/agent-proto/http';
import fc from 'fast-check';
import t from 'tap';
import { OBSERVATION_MAX_AGE_MS, type PastRun, type PlanInput, plan } from '../../../appliance/healing/plan.ts';
import { nextStepFor } from '../../../appliance/healing/words.ts';
import { restartRule } from '../../helpers/rules.ts';

const NOW = Date.UTC(2026, 2, 1);
const SECOND = 1000;
const rule = restartRule();
const params = { service: 'cron' };

const base: PlanInput = {
  incident: { state: 'open', openedAtMs: NOW },
  rule,
  params,
  target: { tier: 1, isConnected: true },
  observedAtMs: NOW,
  runs: [],
  nowMs: NOW,
};
const decide = (change: Partial<PlanInput>) => plan({ ...base, ...change });
const run = (agoMs: number, change: Partial<PastRun> = {}): PastRun => ({
  params,
  state: 'not_verified',
  startedAtMs: NOW - agoMs,
  ...change,
});

t.test('a failing service under a rule, with tier and agent in place, is restarted', async (t) => {
  t.match(decide({}), { kind: 'run', params: { service: 'cron' } });
  t.match(decide({ target: 'box' }), { kind: 'run' });
  t.match(decide({ target: { tier: 2, isConnected: true } }), { kind: 'run' });
});

t.test('MONITOR_ONLY never acts', async (t) => {
  t.strictSame(decide({ target: { tier: 0, isConnected: true } }), { kind: 'refuse', code: 'TIER_TOO_LOW' });
});

t.test('without a rule nothing is done', async (t) => {
  t.strictSame(decide({ rule: undefined }), { kind: 'refuse', code: 'NO_RULE' });
});

t.test('an unknown or forbidden target calls a person', async (t) => {
  t.strictSame(decide({ params: undefined, target: 'box' }), { kind: 'call_person', code: 'TARGET_UNKNOWN' });
});

t.test('an agent that is away is waited for, and a person is called for it all the same', async (t) => {
  const target = { tier: 1, isConnected: false } as const;
  t.strictSame(decide({ target }), { kind: 'refuse', code: 'AGENT_AWAY' });
  t.match(decide({ target, runs: [run(400_000), run(700_000)] }), { kind: 'call_person' });
});

t.test('the cooldown ends to the millisecond', async (t) => {
  t.match(decide({ runs: [run(300 * SECOND - 1)] }), { kind: 'wait', reason: 'COOLDOWN', untilMs: NOW + 1 });
  t.match(decide({ runs: [run(300 * SECOND)] }), { kind: 'run' });
});

t.test(
  'the cooldown is of the host: another service waits too, and is told apart from one that was tried',
  async (t) => {
    const other = run(1000, { params: { service: 'sshd' } });
    const untilMs = NOW + 299 * SECOND;
    const because = { runs: [{ service: 'sshd' }], isOwn: false };
    t.strictSame(decide({ runs: [other] }), { kind: 'wait', reason: 'COOLDOWN', untilMs, because });
    t.match(decide({ runs: [run(1000)] }), { reason: 'COOLDOWN', because: { isOwn: true } });
  },
);

t.test('after two attempts in a quarter of an hour a person is called, whatever they were about', async (t) => {
  const code = 'ATTEMPTS_EXHAUSTED';
  const twice = { runs: [params, params], isOwn: true };
  t.strictSame(decide({ runs: [run(899 * SECOND), run(400 * SECOND)] }), { kind: 'call_person', code, because: twice });
  const others = [run(800 * SECOND, { params: { service: 'a' } }), run(1000, { params: { service: 'b' } })];
  const because = { runs: [{ service: 'a' }, { service: 'b' }], isOwn: false };
  t.strictSame(decide({ runs: others }), { kind: 'call_person', code, because });
  t.match(decide({ runs: [run(900 * SECOND), run(400 * SECOND)] }), { kind: 'run' });
});

t.test('what a person was called for stays with the person', async (t) => {
  const incident = { state: 'needs_person', openedAtMs: 0 } as const;
  t.match(decide({ incident }), { kind: 'refuse', code: 'ATTEMPTS_EXHAUSTED' });
});

t.test('while a run on the same target is under way, no other begins', async (t) => {
  for (const state of ['started', 'done'] as const) {
    t.match(decide({ runs: [run(3600 * SECOND, { state })] }), { kind: 'wait', reason: 'RUNNING' });
  }
});

t.test('a rule may ask that the fault lasts', async (t) => {
  const held = restartRule({ 'seconds: 0\n': 'seconds: 60\n' });
  t.match(decide({ rule: held }), { kind: 'wait', reason: 'HOLD', untilMs: NOW + 60 * SECOND });
  t.match(decide({ rule: held, incident: { state: 'open', openedAtMs: NOW - 60 * SECOND } }), { kind: 'run' });
});

t.test('an old result is looked at again before anything is done', async (t) => {
  t.match(decide({ observedAtMs: NOW - OBSERVATION_MAX_AGE_MS - 1 }), { kind: 'wait', reason: 'RESULT_OLD' });
  t.match(decide({ observedAtMs: NOW - OBSERVATION_MAX_AGE_MS }), { kind: 'run' });
});

t.test('after the clock was set back, a run that seems to lie ahead still counts', async (t) => {
  t.match(decide({ runs: [run(-100 * SECOND)] }), { kind: 'wait', reason: 'COOLDOWN' });
  t.match(decide({ runs: [run(-365 * 86_400 * SECOND)] }), { kind: 'run' });
});

type Event = { waitMs: number; service: string; ends: PastRun['state']; isConnected: boolean; tier: 0 | 1 | 2 };
const events = fc.array(
  fc.record<Event>({
    waitMs: fc.oneof(fc.constantFrom(0, 1, 299_999, 300_000, 899_999, 900_000), fc.nat({ max: 1_000_000 })),
    service: fc.constantFrom('cron', 'sshd', 'cups'),
    ends: fc.constantFrom(...ACTION_RUN_STATES),
    isConnected: fc.boolean(),
    tier: fc.constantFrom(0, 1, 2),
  }),
  { maxLength: 120 },
);

t.test('no sequence of events makes it exceed cooldown or attempts, in any scope', async (t) => {
  for (const cooldownPer of ['target', 'host'] as const) {
    for (const attemptsPer of ['target', 'host'] as const) {
      const scoped = {
        ...rule,
        cooldown: { ms: 300_000, per: cooldownPer },
        attempts: { max: 2, withinMs: 900_000, per: attemptsPer },
      };
      fc.assert(
        fc.property(events, (list) => {
          let nowMs = NOW;
          const runs: PastRun[] = [];
          for (const { waitMs, service, ends, isConnected, tier } of list) {
            nowMs += waitMs;
            const decision = plan({
              ...base,
              rule: scoped,
              params: { service },
              target: { tier, isConnected },
              observedAtMs: nowMs,
              runs,
              nowMs,
            });
            if (decision.kind !== 'run') continue;
            if (tier === 0 || !isConnected) return false;
            const near = (per: 'target' | 'host', withinMs: number) =>
              runs.filter(
                (one) => nowMs - one.startedAtMs < withinMs && (per === 'host' || one.params.service === service),
              ).length;
            if (near(cooldownPer, 300_000) > 0 || near(attemptsPer, 900_000) > 1) return false;
            runs.push({ params: { service }, state: ends, startedAtMs: nowMs });
          }
          return true;
        }),
        { numRuns: 150 },
      );
    }
  }
  t.pass();
});

t.test('every decision has words that say what happens or what to do', async (t) => {
  const decisions = [
    decide({}),
    decide({ target: { tier: 0, isConnected: true } }),
    decide({ target: { tier: 1, isConnected: false } }),
    decide({ runs: [run(1000)] }),
    decide({ runs: [run(1000, { state: 'done' })] }),
    decide({ runs: [run(1000), run(2000)] }),
    decide({ params: undefined }),
    decide({ runs: [run(1000, { params: { service: 'sshd' } })] }),
    decide({ runs: [run(1000, { params: { service: 'a' } }), run(2000, { params: { service: 'b' } })] }),
    decide({ observedAtMs: 0 }),
    decide({ rule: restartRule({ 'seconds: 0\n': 'seconds: 60\n' }) }),
  ];
  const texts = decisions.map((decision) =>
    nextStepFor(decision, { host: 'front-desk', rule, params, byHand: 'Start cron.', tier: 'MONITOR_ONLY' }),
  );
  t.equal(new Set(texts).size, decisions.length);
  for (const text of texts) t.match(text, /^[A-Z].*front-desk.*\.$/);
  t.match(texts[1], /^Start cron\. .*changes nothing on front-desk, which is set to MONITOR_ONLY/);
  t.match(texts[3], /again once 5 minutes have passed since the last repair there, not before 00:05 UTC/);
  t.match(texts[5], /made 2 repairs there within 15 minutes \(restart cron twice\) and stops/);
  t.match(texts[7], /has not tried to restart cron on front-desk, because it did restart sshd there .* 00:05 UTC/);
  t.match(
    texts[8],
    /did not try to restart cron: it made 2 repairs there .* \(restart a, restart b\) and stops here\./,
  );
});
