import { consistencyProof, rootOf } from '@sitewarden/agent-proto/merkle';
import fc from 'fast-check';
import t from 'tap';
import { judgeCheckpoint } from '../../../relay/witness/index.ts';

const leaf = (n: number) => new Uint8Array(32).fill(n + 1);
const LEAVES = Array.from({ length: 40 }, (_, n) => leaf(n));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const headAt = (size: number) => ({ size, root: size === 0 ? '' : hex(rootOf(LEAVES, size)) });
const submit = (oldSize: number, size: number, leaves = LEAVES) => ({
  oldSize,
  size,
  root: rootOf(leaves, size),
  proof: consistencyProof(leaves, oldSize, size),
});

t.test('every honest step from the cosigned head is accepted', (t) => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), (a, b) => {
      const [oldSize, size] = [Math.min(a, b), Math.max(a, b)];
      return judgeCheckpoint(headAt(oldSize), submit(oldSize, size)).kind === 'accept';
    }),
  );
  t.end();
});

t.test('a proof from another size is answered with the right one', (t) => {
  t.same(judgeCheckpoint(headAt(10), submit(5, 20)), { kind: 'conflict', size: 10, isRollback: false });
  t.same(judgeCheckpoint(headAt(10), submit(12, 20)), { kind: 'conflict', size: 10, isRollback: false });
  t.same(
    judgeCheckpoint(headAt(20), submit(10, 20)),
    { kind: 'conflict', size: 20, isRollback: false },
    'a lost answer',
  );
  t.same(judgeCheckpoint(headAt(20), submit(5, 10)), { kind: 'conflict', size: 20, isRollback: true });
  t.end();
});

t.test('one size with two roots is a fork, whatever is said about the old size', (t) => {
  const other = [...LEAVES.slice(0, 19), leaf(200)];
  t.match(judgeCheckpoint(headAt(20), submit(20, 20, other)), { kind: 'fork' });
  t.match(judgeCheckpoint(headAt(20), submit(10, 20, other)), { kind: 'fork' });
  t.end();
});

t.test('a rewritten past has no proof', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 30 }), fc.nat(29), fc.integer({ min: 1, max: 9 }), (oldSize, at, more) => {
      const rewritten = LEAVES.map((own, n) => (n === at % oldSize ? leaf(250) : own));
      const verdict = judgeCheckpoint(headAt(oldSize), submit(oldSize, oldSize + more, rewritten));
      return verdict.kind === 'unproved';
    }),
  );
  t.end();
});

t.test('what the standard calls malformed is malformed', (t) => {
  t.match(judgeCheckpoint(headAt(10), { ...submit(10, 10), oldSize: 11 }), { kind: 'malformed' });
  t.match(judgeCheckpoint(headAt(0), { ...submit(0, 5), proof: [leaf(1)] }), { kind: 'malformed' });
  t.end();
});
