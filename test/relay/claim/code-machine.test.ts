import fc from 'fast-check';
import t from 'tap';
import {
  CODE_STATES,
  type Code,
  type CodeLife,
  type CodeState,
  codeStateAt,
  decideCode,
} from '../../../relay/claim/code-machine.ts';
import * as view from '../../../relay/routes/contract/views.ts';

const code = (changes: Partial<Code> = {}): Code => ({
  expiresAtMs: 1000,
  revokedAtMs: null,
  usedByFingerprint: null,
  ...changes,
});

t.test('a fresh code is used until its last millisecond', async (t) => {
  t.strictSame(decideCode(code(), 'one', 999), { ok: true, outcome: 'use' });
  t.strictSame(decideCode(code(), 'one', 1000), { ok: false, code: 'CODE_INVALID', isDispute: false });
});

t.test('the same key gets the same answer, also after the code has expired or was revoked', async (t) => {
  const used = code({ usedByFingerprint: 'one', revokedAtMs: 5 });
  t.strictSame(decideCode(used, 'one', 5000), { ok: true, outcome: 'repeat' });
});

t.test('a second key is refused and raises a dispute, however late it comes', async (t) => {
  const used = code({ usedByFingerprint: 'one' });
  for (const nowMs of [1, 999, 1000, 1_000_000]) {
    t.strictSame(decideCode(used, 'two', nowMs), { ok: false, code: 'CODE_USED', isDispute: true });
  }
});

t.test('a revoked code says so', async (t) => {
  t.strictSame(decideCode(code({ revokedAtMs: 1 }), 'one', 2), { ok: false, code: 'CODE_REVOKED', isDispute: false });
});

t.test('a code is used at most by one key, and only while it is neither revoked nor expired', async (t) => {
  const anyCode = fc.record({
    expiresAtMs: fc.integer({ min: 0, max: 100 }),
    revokedAtMs: fc.option(fc.integer({ min: 0, max: 100 })),
    usedByFingerprint: fc.option(fc.constantFrom('one', 'two')),
  });
  const runs = fc.property(
    anyCode,
    fc.constantFrom('one', 'two'),
    fc.integer({ min: 0, max: 100 }),
    (any, key, now) => {
      const verdict = decideCode(any, key, now);
      if (verdict.ok && verdict.outcome === 'use')
        return any.usedByFingerprint === null && any.revokedAtMs === null && now < any.expiresAtMs;
      if (verdict.ok) return any.usedByFingerprint === key;
      return verdict.isDispute === (any.usedByFingerprint !== null && any.usedByFingerprint !== key);
    },
  );
  t.doesNotThrow(() => fc.assert(runs, { numRuns: 2000 }));
});

t.test('each step of the life of a code has its state', async (t) => {
  const life = { ...code(), scannedAtMs: null };
  const used = { ...life, usedByFingerprint: 'one' };
  const claim = (state: 'claimed' | 'approved' | 'acknowledged' | 'rejected') => ({ state, expiresAtMs: 5000 });
  const cases: [CodeState, CodeLife, number][] = [
    ['created', { code: life, claim: null }, 999],
    ['scanned', { code: { ...life, scannedAtMs: 5 }, claim: null }, 999],
    ['expired', { code: { ...life, scannedAtMs: 5 }, claim: null }, 1000],
    ['revoked', { code: { ...life, revokedAtMs: 10 }, claim: null }, 2000],
    ['expired', { code: { ...life, revokedAtMs: 1500 }, claim: null }, 2000],
    ['claimed', { code: used, claim: claim('claimed') }, 4999],
    ['expired', { code: used, claim: claim('claimed') }, 5000],
    ['approved', { code: used, claim: claim('approved') }, 9999],
    ['used', { code: used, claim: claim('acknowledged') }, 9999],
    ['rejected', { code: used, claim: claim('rejected') }, 9999],
  ];
  for (const [state, life, nowMs] of cases) t.equal(codeStateAt(life, nowMs), state, `${state} at ${nowMs}`);
  t.strictSame([...new Set(cases.map(([state]) => state))].sort(), [...CODE_STATES].sort(), 'no state is left out');
  t.strictSame(view.CODE_STATES, CODE_STATES, 'the contract lists them in the same order');
});

/** What may happen to a code; each is carried out only where the store's conditional update would. */
const STEPS = ['wait', 'scan', 'present', 'approve', 'acknowledge', 'reject', 'revoke', 'dispute'] as const;

function step({ code, claim }: CodeLife, what: (typeof STEPS)[number], nowMs: number): CodeLife {
  const isOpen = code.usedByFingerprint === null && code.revokedAtMs === null && nowMs < code.expiresAtMs;
  const waits = claim?.state === 'claimed' && nowMs < claim.expiresAtMs;
  if (what === 'scan' && isOpen && code.scannedAtMs === null) return { code: { ...code, scannedAtMs: nowMs }, claim };
  // An expired code can still be revoked by somebody who saw an older list.
  if (what === 'revoke' && code.usedByFingerprint === null && code.revokedAtMs === null)
    return { code: { ...code, revokedAtMs: nowMs }, claim };
  if (what === 'present' && isOpen)
    return { code: { ...code, usedByFingerprint: 'one' }, claim: { state: 'claimed', expiresAtMs: nowMs + 40 } };
  if (what === 'approve' && waits) return { code, claim: { ...claim, state: 'approved' } };
  if (what === 'reject' && waits) return { code, claim: { ...claim, state: 'rejected' } };
  if (what === 'acknowledge' && claim?.state === 'approved')
    return { code, claim: { ...claim, state: 'acknowledged' } };
  return { code, claim };
}

const FORWARD: Record<CodeState, readonly CodeState[]> = {
  created: ['scanned', 'claimed', 'expired', 'revoked'],
  scanned: ['claimed', 'expired', 'revoked'],
  claimed: ['approved', 'rejected', 'expired'],
  approved: ['used'],
  used: [],
  rejected: [],
  expired: [],
  revoked: [],
};

t.test(
  'a code never goes back: whatever happens to it in whatever order, each state leads to a later one',
  async (t) => {
    const history = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.integer({ min: 0, max: 30 })), { maxLength: 25 });
    const seen = new Set<CodeState>();
    const runs = fc.property(history, fc.integer({ min: 0, max: 120 }), (steps, expiresAtMs) => {
      let nowMs = 0;
      let life: CodeLife = { code: { ...code({ expiresAtMs }), scannedAtMs: null }, claim: null };
      let state = codeStateAt(life, nowMs);
      const moveTo = (next: CodeState) => {
        seen.add(next);
        const isAllowed = next === state || FORWARD[state].includes(next);
        state = next;
        return isAllowed;
      };
      return steps.every(([what, waitMs]) => {
        nowMs += waitMs;
        const afterWaiting = moveTo(codeStateAt(life, nowMs));
        life = step(life, what, nowMs);
        return afterWaiting && moveTo(codeStateAt(life, nowMs));
      });
    });
    t.doesNotThrow(() => fc.assert(runs, { numRuns: 3000 }));
    t.strictSame([...seen].sort(), [...CODE_STATES].sort(), 'the histories reach every state');
  },
);
