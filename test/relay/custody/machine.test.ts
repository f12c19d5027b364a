import fc from 'fast-check';
import t from 'tap';
import {
  decideRelease,
  isOpen,
  RELEASE_STATES,
  type ReleaseEvent,
  type ReleaseState,
} from '../../../relay/custody/machine.ts';

const events: fc.Arbitrary<ReleaseEvent> = fc.oneof(
  fc.constant<ReleaseEvent>({ type: 'fetch' }),
  fc.constant<ReleaseEvent>({ type: 'withdraw' }),
  fc.boolean().map((isLogClosed): ReleaseEvent => ({ type: 'close', isLogClosed })),
  fc.constant<ReleaseEvent>({ type: 'overtake' }),
);

function run(from: ReleaseState, list: readonly ReleaseEvent[]): ReleaseState[] {
  const path = [from];
  for (const event of list) {
    const verdict = decideRelease(path.at(-1) as ReleaseState, event);
    if (verdict.ok) path.push(verdict.next);
  }
  return path;
}

t.test('a release closes only after the box had it and its log is closed', async (t) => {
  t.match(decideRelease('ordered', { type: 'close', isLogClosed: true }), { ok: false, code: 'RELEASE_NONE' });
  t.match(decideRelease('delivered', { type: 'close', isLogClosed: false }), { ok: false, code: 'RELEASE_LOG_OPEN' });
  t.match(decideRelease('delivered', { type: 'close', isLogClosed: true }), { next: 'closed', isNew: true });
  fc.assert(
    fc.property(fc.array(events, { maxLength: 30 }), (list) => {
      const path = run('ordered', list);
      return !path.includes('closed') || path.includes('delivered');
    }),
  );
});

t.test('what has left is never taken back, and the end of a release is its end', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...RELEASE_STATES), fc.array(events, { maxLength: 30 }), (from, list) => {
      const path = run(from, list);
      const ended = path.findIndex((state) => !isOpen(state));
      const isFinal = ended < 0 || path.slice(ended).every((state) => state === path[ended]);
      const delivered = path.indexOf('delivered');
      return isFinal && (delivered < 0 || !path.slice(delivered).includes('withdrawn'));
    }),
  );
});

t.test('the same asked again changes nothing', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...RELEASE_STATES), events, (from, event) => {
      const first = decideRelease(from, event);
      if (!first.ok) return true;
      const again = decideRelease(first.next, event);
      // A box that closed its log has nothing to fetch; everything else may be repeated.
      return again.ok && !again.isNew && again.next === first.next;
    }),
  );
});
