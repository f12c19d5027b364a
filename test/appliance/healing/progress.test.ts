import { ORDER_STATES } from '@sitewarden/agent-proto/http';
import fc from 'fast-check';
import t from 'tap';
import { type OrderFact, type ProgressInput, progress, RECEIPT_GRACE_MS } from '../../../appliance/healing/progress.ts';

const NOW = Date.UTC(2026, 2, 1);
const started = { action: 'restart_service', state: 'started', finishedAtMs: null, verifyByMs: null } as const;
const done = { action: 'restart_service', state: 'done', finishedAtMs: NOW, verifyByMs: NOW + 120_000 } as const;
const order = (change: Partial<OrderFact>): ProgressInput['where'] => ({
  kind: 'agent',
  order: {
    state: 'delivered',
    code: null,
    detail: null,
    before: null,
    after: null,
    expiresAtMs: NOW + 300_000,
    ...change,
  },
});
const look = (change: Partial<ProgressInput>) =>
  progress({
    run: started,
    where: { kind: 'box', isExecuting: false },
    fresh: undefined,
    lastAskedAtMs: undefined,
    nowMs: NOW,
    ...change,
  });

t.test('a run on the box that this process does not execute was cut off by a crash', async (t) => {
  t.match(look({}), { kind: 'finish', state: 'indeterminate', code: 'INTERRUPTED' });
  t.match(look({ where: { kind: 'box', isExecuting: true } }), { kind: 'nothing' });
});

t.test('a run on an agent goes on waiting for the receipt, across restarts', async (t) => {
  for (const state of ['queued', 'delivered', 'started'] as const)
    t.match(look({ where: order({ state }) }), { kind: 'nothing' });
});

t.test('the receipt of the agent ends the run with its own words', async (t) => {
  const facts = { before: { state: 'stopped' }, after: { state: 'running' } };
  t.match(look({ where: order({ state: 'done', detail: 'restarted', ...facts }) }), {
    kind: 'finish',
    state: 'done',
    outcome: 'restarted',
    ...facts,
  });
  t.match(look({ where: order({ state: 'refused', code: 'TIER_TOO_LOW', detail: 'no' }) }), {
    state: 'refused',
    code: 'TIER_TOO_LOW',
  });
  t.match(look({ where: order({ state: 'failed', code: 'INDETERMINATE', detail: 'stopped' }) }), {
    state: 'indeterminate',
  });
});

t.test('an order that expires unanswered is a failure, or unclear when the agent had begun', async (t) => {
  const nowMs = NOW + 300_000 + RECEIPT_GRACE_MS;
  t.match(look({ nowMs: nowMs - 1, where: order({}) }), { kind: 'nothing' });
  t.match(look({ nowMs, where: order({}) }), { state: 'failed', code: 'ORDER_EXPIRED' });
  t.match(look({ where: order({ state: 'expired' }) }), { state: 'failed', code: 'ORDER_EXPIRED' });
  t.match(look({ nowMs, where: order({ state: 'started' }) }), { state: 'indeterminate', code: 'ORDER_UNANSWERED' });
});

t.test('a repair that was begun in time may run on for as long as it takes', async (t) => {
  const run = { ...started, action: 'signatures_update' };
  const nowMs = NOW + 300_000 + RECEIPT_GRACE_MS;
  t.match(look({ run, nowMs, where: order({ state: 'started' }) }), { kind: 'nothing' });
  t.match(look({ run, nowMs, where: order({}) }), { state: 'failed', code: 'ORDER_EXPIRED' }, 'not begun in time');
  const late = { run, nowMs: NOW + 3_600_000, where: order({ state: 'started' }) };
  t.match(look(late), { state: 'indeterminate', code: 'ORDER_UNANSWERED' });
});

t.test('a done run is verified by a fresh pass only', async (t) => {
  t.match(look({ run: done }), { kind: 'ask_recheck' });
  t.match(look({ run: done, lastAskedAtMs: NOW - 1 }), { kind: 'nothing' });
  t.match(look({ run: done, fresh: { status: 'fail', receivedAtMs: NOW + 1 } }), { kind: 'ask_recheck' });
  t.match(look({ run: done, fresh: { status: 'unknown', receivedAtMs: NOW + 1 } }), { kind: 'ask_recheck' });
  t.match(look({ run: done, fresh: { status: 'pass', receivedAtMs: NOW + 1 } }), { kind: 'judge', state: 'verified' });
});

t.test('without a fresh pass in time it is not verified', async (t) => {
  const nowMs = NOW + 120_000;
  t.match(look({ run: done, nowMs }), { kind: 'judge', state: 'not_verified' });
  t.match(look({ run: done, nowMs, fresh: { status: 'pass', receivedAtMs: nowMs } }), { state: 'verified' });
  t.match(look({ run: done, nowMs: nowMs + 5, fresh: { status: 'pass', receivedAtMs: nowMs + 1 } }), {
    state: 'not_verified',
  });
});

t.test('a clock set back far does not keep a run open for years', async (t) => {
  t.match(look({ run: done, nowMs: NOW - 365 * 86_400_000 }), { kind: 'judge', state: 'not_verified' });
});

t.test('only started and done runs move, and every order state is dealt with', async (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom('failed', 'refused', 'indeterminate', 'verified', 'not_verified'),
      fc.constantFrom(...ORDER_STATES),
      fc.integer(),
      (state, orderState, offsetMs) => {
        const ended = look({
          run: { ...done, state } as never,
          where: order({ state: orderState }),
          nowMs: NOW + offsetMs,
        });
        const waiting = look({ where: order({ state: orderState }), nowMs: NOW + offsetMs });
        return ended.kind === 'nothing' && (waiting.kind === 'nothing' || waiting.kind === 'finish');
      },
    ),
  );
  t.pass();
});
