import { ORDER_STATES } from '@sitewarden/agent-proto/http';
import fc from 'fast-check';
import t from 'tap';
import { isFinished, nextOrderState, shownOrderState } from '../../../relay/orders/machine.ts';

const state = fc.constantFrom(...ORDER_STATES);
const RANKS = [
  ['queued'],
  ['delivered'],
  ['started'],
  ['indeterminate'],
  ['done', 'failed', 'refused', 'expired'],
] as const;
const rank = (name: string) => RANKS.findIndex((names) => (names as readonly string[]).includes(name));

t.test('an order never goes backwards, in whatever order the news come', (t) => {
  fc.assert(
    fc.property(state, fc.array(state, { maxLength: 12 }), (start, news) => {
      let current = start;
      for (const next of news) {
        const after = nextOrderState(current, next);
        if (rank(after) < rank(current)) return false;
        if (rank(after) === rank(current) && after !== current) return false;
        current = after;
      }
      return rank(current) === Math.max(rank(start), ...news.map(rank));
    }),
  );
  t.end();
});

t.test('an outcome is final, an unclear one can still be cleared up', (t) => {
  t.equal(nextOrderState('done', 'failed'), 'done');
  t.equal(nextOrderState('expired', 'done'), 'expired');
  t.equal(nextOrderState('indeterminate', 'done'), 'done');
  t.equal(nextOrderState('done', 'indeterminate'), 'done');
  t.same(ORDER_STATES.filter(isFinished), ['done', 'failed', 'refused', 'expired', 'indeterminate']);
  t.end();
});

t.test('an order nobody answered for is shown as expired, one that was begun is not', (t) => {
  const order = (name: (typeof ORDER_STATES)[number]) => shownOrderState({ state: name, expiresAtMs: 100 }, 100);
  t.same(
    [order('queued'), order('delivered'), order('started'), order('done')],
    ['expired', 'expired', 'started', 'done'],
  );
  t.equal(shownOrderState({ state: 'queued', expiresAtMs: 100 }, 99), 'queued');
  t.end();
});
