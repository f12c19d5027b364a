import fc from 'fast-check';
import t from 'tap';
import { type Code, codeStateAt, decideCode } from '../../../relay/claim/code-machine.ts';

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

t.test('a code is used at most by one key, and only while it is created', async (t) => {
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
      if (verdict.ok && verdict.outcome === 'use') return codeStateAt(any, now) === 'created' && now < any.expiresAtMs;
      if (verdict.ok) return any.usedByFingerprint === key;
      return verdict.isDispute === (any.usedByFingerprint !== null && any.usedByFingerprint !== key);
    },
  );
  t.doesNotThrow(() => fc.assert(runs, { numRuns: 2000 }));
});
