import fc from 'fast-check';
import t from 'tap';
import { type Claim, type ClaimEvent, decideClaim, stateAt } from '../../../relay/claim/machine.ts';

const START = 1_000_000;
const TTL = 600_000;
const NUMBERS = ['11111111', '22222222'] as const;

const fresh = (changes: Partial<Claim> = {}): Claim => ({
  state: 'started',
  expiresAtMs: START + TTL,
  isDisputed: false,
  number: NUMBERS[0],
  siteId: null,
  claimedBy: null,
  applianceId: null,
  ...changes,
});

const claimed = (changes: Partial<Claim> = {}): Claim =>
  fresh({ state: 'claimed', siteId: 'site_a', claimedBy: 'Kim', ...changes });

const take = (changes: Partial<Extract<ClaimEvent, { type: 'claim' }>> = {}): ClaimEvent => ({
  type: 'claim',
  siteId: 'site_a',
  by: 'Kim',
  number: NUMBERS[0],
  mayApprove: false,
  ...changes,
});

/** What the store does with a verdict. */
function carryOut(claim: Claim, event: ClaimEvent, nowMs: number): Claim {
  const verdict = decideClaim(claim, event, nowMs);
  if (!verdict.ok) return claim;
  const next: { -readonly [K in keyof Claim]: Claim[K] } = { ...claim, state: verdict.next };
  for (const effect of verdict.effects) {
    if (effect === 'take' && event.type === 'claim') {
      next.siteId = event.siteId;
      next.claimedBy = event.by;
    }
    if (effect === 'approve') next.applianceId = 'app_1';
    if (effect === 'dispute') next.isDisputed = true;
  }
  return next;
}

t.test('a claim by somebody who may approve needs no second person', async (t) => {
  const verdict = decideClaim(fresh(), take({ mayApprove: true }), START);
  t.strictSame(verdict, { ok: true, next: 'approved', effects: ['take', 'approve'] });
});

t.test('a claim by anybody else waits', async (t) => {
  t.strictSame(decideClaim(fresh(), take(), START), { ok: true, next: 'claimed', effects: ['take'] });
});

t.test('nothing is claimed before the box has shown its number', async (t) => {
  t.strictSame(decideClaim(fresh({ number: null }), take(), START), { ok: false, code: 'NUMBER_NOT_READY' });
});

t.test('another number claims and approves nothing', async (t) => {
  t.match(decideClaim(fresh(), take({ number: NUMBERS[1] }), START), { ok: false, code: 'NUMBER_MISMATCH' });
  const approve: ClaimEvent = { type: 'approve', number: NUMBERS[1] };
  t.match(decideClaim(claimed(), approve, START), { ok: false, code: 'NUMBER_MISMATCH' });
});

t.test('the end of its time is exact', async (t) => {
  const claim = fresh();
  t.equal(stateAt(claim, claim.expiresAtMs - 1), 'started');
  t.equal(stateAt(claim, claim.expiresAtMs), 'expired');
  t.match(decideClaim(claim, take(), claim.expiresAtMs - 1), { ok: true });
  t.match(decideClaim(claim, take(), claim.expiresAtMs), { ok: false, code: 'SESSION_UNKNOWN' });
});

t.test('a dispute blocks the approval', async (t) => {
  const disputed = carryOut(claimed(), { type: 'dispute' }, START);
  t.equal(disputed.isDisputed, true);
  const verdict = decideClaim(disputed, { type: 'approve', number: NUMBERS[0] }, START);
  t.strictSame(verdict, { ok: false, code: 'CLAIM_DISPUTED' });
  t.match(decideClaim(disputed, { type: 'reject' }, START), { ok: true, next: 'rejected' });
});

t.test('the same asked again is answered the same, without a second effect', async (t) => {
  const steps: ClaimEvent[] = [
    take(),
    { type: 'approve', number: NUMBERS[0] },
    { type: 'acknowledge', applianceId: 'app_1' },
  ];
  let claim = fresh();
  for (const step of steps) {
    claim = carryOut(claim, step, START);
    t.match(decideClaim(claim, step, START), { ok: true, next: claim.state, effects: [] });
  }
});

t.test('somebody else, another site and another appliance get nothing of a claim', async (t) => {
  t.match(decideClaim(claimed(), take({ by: 'Lee' }), START), { code: 'CLAIM_NOT_WAITING' });
  t.match(decideClaim(claimed(), take({ siteId: 'site_b' }), START), { code: 'CLAIM_NOT_WAITING' });
  const approved = claimed({ state: 'approved', applianceId: 'app_1' });
  t.match(decideClaim(approved, { type: 'acknowledge', applianceId: 'app_2' }, START), { code: 'SESSION_UNKNOWN' });
});

const anyEvent: fc.Arbitrary<ClaimEvent> = fc.oneof(
  fc.record({
    type: fc.constant('claim' as const),
    siteId: fc.constantFrom('site_a', 'site_b'),
    by: fc.constantFrom('Kim', 'Lee'),
    number: fc.constantFrom(...NUMBERS),
    mayApprove: fc.boolean(),
  }),
  fc.record({ type: fc.constant('approve' as const), number: fc.constantFrom(...NUMBERS) }),
  fc.constant({ type: 'reject' as const }),
  fc.record({ type: fc.constant('acknowledge' as const), applianceId: fc.constantFrom('app_1', 'app_2') }),
  fc.constant({ type: 'dispute' as const }),
);
const anyStep = fc.record({ event: anyEvent, afterMs: fc.integer({ min: 0, max: TTL / 3 }) });

t.test('whatever happens in whatever order, a claim only moves forward', async (t) => {
  const RANK = { started: 0, claimed: 1, rejected: 2, approved: 2, acknowledged: 3, expired: 9 };
  const runs = fc.property(fc.array(anyStep, { maxLength: 12 }), (steps) => {
    let claim = fresh();
    let nowMs = START;
    for (const { event, afterMs } of steps) {
      nowMs += afterMs;
      const before = claim;
      const verdict = decideClaim(before, event, nowMs);
      claim = carryOut(before, event, nowMs);
      if (RANK[claim.state] < RANK[before.state]) return false;
      // The site and the person are decided once.
      if (before.siteId !== null && (claim.siteId !== before.siteId || claim.claimedBy !== before.claimedBy))
        return false;
      if (before.state === 'rejected' && claim.state !== 'rejected') return false;
      if (verdict.ok && verdict.effects.includes('approve')) {
        const isLegal =
          !before.isDisputed && nowMs < before.expiresAtMs && 'number' in event && event.number === before.number;
        if (!isLegal || before.applianceId !== null) return false;
      }
      if (!verdict.ok && claim !== before) return false;
    }
    return true;
  });
  t.doesNotThrow(() => fc.assert(runs, { numRuns: 2000 }));
});

t.test('a verdict that changed something changes nothing the second time', async (t) => {
  const runs = fc.property(fc.array(anyStep, { maxLength: 8 }), anyEvent, (steps, event) => {
    const claim = steps.reduce((before, step) => carryOut(before, step.event, START), fresh());
    const after = carryOut(claim, event, START);
    const again = decideClaim(after, event, START);
    if (!decideClaim(claim, event, START).ok) return true;
    // A dispute is recorded each time it is met; recording it twice is the same.
    return again.ok && (event.type === 'dispute' || again.effects.length === 0);
  });
  t.doesNotThrow(() => fc.assert(runs, { numRuns: 2000 }));
});
