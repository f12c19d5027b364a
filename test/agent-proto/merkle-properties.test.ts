import { createHash } from 'node:crypto';
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '@sitewarden/agent-proto/merkle';
import fc from 'fast-check';
import t from 'tap';

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const largestPowerBelow = (n: number): number => 2 ** Math.ceil(Math.log2(n) - 1);

/** RFC 6962, 2.1, word for word and slow: MTH, PATH and SUBPROOF over the leaf bytes. */
function treeHash(data: readonly Uint8Array[]): Buffer {
  if (data.length === 0) return sha256();
  if (data.length === 1) return sha256(Buffer.from([0]), data[0]!);
  const k = largestPowerBelow(data.length);
  return sha256(Buffer.from([1]), treeHash(data.slice(0, k)), treeHash(data.slice(k)));
}

function naivePath(m: number, data: readonly Uint8Array[]): Buffer[] {
  if (data.length <= 1) return [];
  const k = largestPowerBelow(data.length);
  return m < k
    ? [...naivePath(m, data.slice(0, k)), treeHash(data.slice(k))]
    : [...naivePath(m - k, data.slice(k)), treeHash(data.slice(0, k))];
}

function naiveSubproof(m: number, data: readonly Uint8Array[], isWhole: boolean): Buffer[] {
  if (m === data.length) return isWhole ? [] : [treeHash(data)];
  const k = largestPowerBelow(data.length);
  return m <= k
    ? [...naiveSubproof(m, data.slice(0, k), isWhole), treeHash(data.slice(k))]
    : [...naiveSubproof(m - k, data.slice(k), false), treeHash(data.slice(0, k))];
}

const tree = fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 80 });
/** A tree and two numbers below its size. */
const place = tree.chain((data) =>
  fc.record({ data: fc.constant(data), one: fc.nat(data.length - 1), other: fc.nat(data.length - 1) }),
);
const isSame = (a: readonly Uint8Array[], b: readonly Uint8Array[]) =>
  a.length === b.length && a.every((hash, i) => Buffer.compare(hash, b[i]!) === 0);

function flip(hash: Uint8Array, bit: number): Buffer {
  const flipped = Buffer.from(hash);
  flipped[(bit >> 3) % 32] = flipped[(bit >> 3) % 32]! ^ (1 << (bit & 7));
  return flipped;
}

/** Every way to break a list of hashes: a bit, one less, one more, two swapped. */
function mutations(proof: readonly Uint8Array[], bit: number): Uint8Array[][] {
  const broken = proof.map((hash, i) => proof.map((other, j) => (i === j ? flip(hash, bit) : other)));
  const extra = flip(proof[0] ?? Buffer.alloc(32), bit);
  const fewer = proof.map((_, i) => proof.filter((__, j) => j !== i));
  const more = [...proof, extra].map((_, i) => [...proof.slice(0, i), extra, ...proof.slice(i)]);
  const swapped = proof
    .slice(1)
    .map((_, i) => proof.map((hash, j) => proof[j === i ? i + 1 : j === i + 1 ? i : j] ?? hash));
  return [...broken, ...fewer, ...more, ...swapped].filter((list) => !isSame(list, proof)) as Uint8Array[][];
}

t.test('roots and proofs are those of the recursive definition, and verify', async () => {
  fc.assert(
    fc.property(place, ({ data, one, other }) => {
      const hashes = data.map(leafHash);
      const size = data.length;
      const root = rootOf(hashes, size);
      const inclusion = inclusionProof(hashes, one, size);
      const oldSize = other + 1;
      const consistency = consistencyProof(hashes, oldSize, size);
      return (
        Buffer.compare(root, treeHash(data)) === 0 &&
        isSame(inclusion, naivePath(one, data)) &&
        isSame(consistency, naiveSubproof(oldSize, data, true)) &&
        verifyInclusion({ leafHash: hashes[one]!, index: one, size, root, proof: inclusion }) &&
        verifyConsistency({
          oldSize,
          oldRoot: rootOf(hashes, oldSize),
          newSize: size,
          newRoot: root,
          proof: consistency,
        })
      );
    }),
    { numRuns: 150 },
  );
});

t.test('no mutated inclusion proof verifies', async () => {
  fc.assert(
    fc.property(place, fc.nat(255), ({ data, one, other }, bit) => {
      // Leaves made different, so that no other place holds the same hash.
      const hashes = data.map((leaf, i) => leafHash(Buffer.concat([leaf, Buffer.from(`#${i}`)])));
      const size = hashes.length;
      const claim = {
        leafHash: hashes[one]!,
        index: one,
        size,
        root: rootOf(hashes, size),
        proof: inclusionProof(hashes, one, size),
      };
      const bad = [
        ...mutations(claim.proof, bit).map((proof) => ({ ...claim, proof })),
        { ...claim, leafHash: flip(claim.leafHash, bit) },
        { ...claim, root: flip(claim.root, bit) },
        ...(other === one ? [] : [{ ...claim, index: other }]),
      ];
      return verifyInclusion(claim) && bad.every((mutated) => !verifyInclusion(mutated));
    }),
    { numRuns: 150 },
  );
});

t.test('no mutated consistency proof verifies', async () => {
  fc.assert(
    fc.property(place, fc.nat(255), ({ data, other }, bit) => {
      const hashes = data.map((leaf, i) => leafHash(Buffer.concat([leaf, Buffer.from(`#${i}`)])));
      const newSize = hashes.length;
      const oldSize = other + 1;
      const proof = consistencyProof(hashes, oldSize, newSize);
      const claim = { oldSize, oldRoot: rootOf(hashes, oldSize), newSize, newRoot: rootOf(hashes, newSize), proof };
      const bad = [
        ...mutations(proof, bit).map((mutated) => ({ ...claim, proof: mutated })),
        { ...claim, oldRoot: flip(claim.oldRoot, bit) },
        { ...claim, newRoot: flip(claim.newRoot, bit) },
        ...(oldSize === newSize ? [] : [{ ...claim, oldRoot: claim.newRoot, newRoot: claim.oldRoot }]),
        ...(oldSize === newSize ? [] : [{ ...claim, oldSize: newSize, newSize: oldSize }]),
        { ...claim, newSize: newSize * 4 },
      ];
      return verifyConsistency(claim) && bad.every((mutated) => !verifyConsistency(mutated));
    }),
    { numRuns: 150 },
  );
});

t.test('a rewritten leaf breaks consistency with every tree that held it', async () => {
  fc.assert(
    fc.property(place, ({ data, one, other }) => {
      const hashes = data.map(leafHash);
      const oldSize = Math.max(one, other) + 1;
      const forged = hashes.map((hash, i) => (i === one ? nodeHash(hash, hash) : hash));
      const proof = consistencyProof(forged, oldSize, forged.length);
      const newRoot = rootOf(forged, forged.length);
      return !verifyConsistency({ oldSize, oldRoot: rootOf(hashes, oldSize), newSize: forged.length, newRoot, proof });
    }),
    { numRuns: 150 },
  );
});
