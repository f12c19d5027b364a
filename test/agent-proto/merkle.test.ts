import {
  appendLeaf,
  completedNodes,
  consistencyProof,
  emptyRoot,
  Frontier,
  inclusionProof,
  leafHash,
  nodeHash,
  readerOf,
  rootOf,
  type TreeNode,
  verifyConsistency,
  verifyInclusion,
} from '@sitewarden/agent-proto/merkle';
import t from 'tap';
import vectors from '../../agent-proto/fixtures/vectors/rfc6962.json' with { type: 'json' };

const hex = (hash: Uint8Array) => Buffer.from(hash).toString('hex');
const bytes = (text: string) => Buffer.from(text, 'hex');
const leaves = vectors.leaves.map((leaf) => leafHash(bytes(leaf)));
const roots = vectors.roots.map(bytes);

/** Leaf hashes of a tree of `size` leaves, all different. */
const leavesOf = (size: number) => Array.from({ length: size }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));

function frontierOf(hashes: readonly Uint8Array[]): Frontier {
  const frontier = new Frontier();
  for (const hash of hashes) frontier.append(hash);
  return frontier;
}

t.test('a frontier has the published root after each leaf', async (t) => {
  const frontier = new Frontier();
  t.equal(hex(frontier.root()), vectors.roots[0]);
  t.equal(hex(emptyRoot()), vectors.roots[0]);
  for (const [i, leaf] of leaves.entries()) {
    frontier.append(leaf);
    t.equal(frontier.size, i + 1);
    t.equal(hex(frontier.root()), vectors.roots[i + 1]);
    t.equal(hex(rootOf(leaves, i + 1)), vectors.roots[i + 1]);
  }
});

t.test('leaf hashes are the published ones, also beyond any scratch buffer', async (t) => {
  for (const { leaf, hash } of vectors.hashes) t.equal(hex(leafHash(bytes(leaf))), hash);
  for (const size of [65_534, 65_535, 65_536, 200_000]) {
    const whole = Buffer.alloc(size, 7);
    t.equal(hex(leafHash(whole)), hex(leafHash(new Uint8Array(whole))), `${size} bytes`);
    t.not(hex(leafHash(whole)), hex(leafHash(whole.subarray(1))), `${size} bytes`);
  }
});

t.test('a short leaf after a long one is hashed alone', async (t) => {
  const before = hex(leafHash(Buffer.from('short')));
  leafHash(Buffer.alloc(50_000, 0xff));
  t.equal(hex(leafHash(Buffer.from('short'))), before);
});

for (const { index, size, path } of vectors.inclusion) {
  t.test(`leaf ${index} of ${size} has the published path`, async (t) => {
    const proof = inclusionProof(leaves, index, size);
    t.same(proof.map(hex), path);
    t.ok(verifyInclusion({ leafHash: leaves[index]!, index, size, root: roots[size]!, proof }));
  });
}

for (const { oldSize, newSize, path } of vectors.consistency) {
  t.test(`${oldSize} to ${newSize} has the published consistency path`, async (t) => {
    const proof = consistencyProof(leaves, oldSize, newSize);
    t.same(proof.map(hex), path);
    t.ok(verifyConsistency({ oldSize, oldRoot: roots[oldSize]!, newSize, newRoot: roots[newSize]!, proof }));
  });
}

t.test('the nodes stored while appending are enough for every proof', async (t) => {
  const stored = new Map<string, Uint8Array>();
  const frontier = new Frontier();
  const hashes = leavesOf(70);
  for (const leaf of hashes) {
    const announced = completedNodes(frontier, leaf);
    const nodes = frontier.appendWithNodes(leaf);
    t.same(announced, nodes);
    for (const { level, index, hash } of nodes) {
      t.notOk(stored.has(`${level}/${index}`), 'each node is completed once');
      stored.set(`${level}/${index}`, hash);
    }
  }
  const read = (level: number, index: number) => stored.get(`${level}/${index}`) as Uint8Array;
  const inMemory = readerOf(hashes);
  for (let size = 1; size <= 70; size += 1) {
    t.same(rootOf(read, size), rootOf(hashes, size));
    for (let at = 0; at < size; at += 1) {
      const proof = inclusionProof(read, at, size);
      if (!verifyInclusion({ leafHash: hashes[at]!, index: at, size, root: rootOf(read, size), proof })) {
        t.fail(`inclusion ${at} in ${size}`);
      }
      const old = consistencyProof(read, at, size);
      if (hex(Buffer.concat(old)) !== hex(Buffer.concat(consistencyProof(inMemory, at, size))))
        t.fail(`${at} to ${size}`);
    }
  }
});

t.test('appending in place, with nodes, or to a copy gives the same tree', async (t) => {
  const inPlace = new Frontier();
  const withNodes = new Frontier();
  let pure = new Frontier();
  for (const leaf of leavesOf(33)) {
    const before = pure;
    const beforeBytes = hex(before.toBytes());
    inPlace.append(leaf);
    withNodes.appendWithNodes(leaf);
    pure = appendLeaf(before, leaf);
    t.equal(hex(before.toBytes()), beforeBytes, 'the old frontier is as it was');
    t.equal(hex(inPlace.toBytes()), hex(pure.toBytes()));
    t.equal(hex(withNodes.toBytes()), hex(pure.toBytes()));
  }
});

t.test('a stored frontier goes on where it stopped', async (t) => {
  const hashes = leavesOf(40);
  for (let size = 0; size < 40; size += 1) {
    const restored = Frontier.fromBytes(frontierOf(hashes.slice(0, size)).toBytes());
    t.equal(restored.size, size);
    for (const leaf of hashes.slice(size)) restored.append(leaf);
    t.equal(hex(restored.root()), hex(frontierOf(hashes).root()));
  }
});

t.test('a clone rolls back', async (t) => {
  const frontier = frontierOf(leavesOf(5));
  const kept = frontier.clone();
  frontier.append(leafHash(Buffer.from('rolled back')));
  t.equal(kept.size, 5);
  t.equal(hex(kept.root()), hex(rootOf(leavesOf(5), 5)));
});

t.test('a damaged stored frontier is refused', async (t) => {
  const stored = Buffer.from(frontierOf(leavesOf(11)).toBytes());
  const cases: [string, Uint8Array][] = [
    ['nothing', Buffer.alloc(0)],
    ['half a size', stored.subarray(0, 4)],
    ['a hash too few', stored.subarray(0, -32)],
    ['a byte too few', stored.subarray(0, -1)],
    ['a byte too many', Buffer.concat([stored, Buffer.alloc(1)])],
    ['another size', Buffer.concat([Buffer.from('000000000000000f', 'hex'), stored.subarray(8)])],
    ['a size beyond 2^53', Buffer.concat([Buffer.from('0020000000000000', 'hex'), Buffer.alloc(32)])],
  ];
  for (const [name, damaged] of cases) t.throws(() => Frontier.fromBytes(damaged), { code: 'FRONTIER_FORMAT' }, name);
  t.throws(() => Frontier.of(-1, []), { code: 'FRONTIER_FORMAT' });
  t.throws(() => Frontier.of(1.5, [leaves[0]!]), { code: 'FRONTIER_FORMAT' });
});

t.test('a hash of another length never enters a tree', async (t) => {
  const frontier = new Frontier();
  t.throws(() => frontier.append(Buffer.alloc(31)), { code: 'TREE_RANGE' });
  t.throws(() => frontier.appendWithNodes(Buffer.alloc(33)), { code: 'TREE_RANGE' });
  t.throws(() => Frontier.of(1, [Buffer.alloc(20)]), { code: 'TREE_RANGE' });
  t.equal(frontier.size, 0);
});

t.test('proofs are refused for what is not in the tree', async (t) => {
  const source = leavesOf(4);
  for (const [index, size] of [
    [4, 4],
    [0, 0],
    [-1, 4],
    [0.5, 4],
    [0, 2 ** 53],
    [Number.NaN, 4],
  ] as const) {
    t.throws(() => inclusionProof(source, index, size), { code: 'TREE_RANGE' }, `${index} of ${size}`);
  }
  for (const [from, to] of [
    [5, 4],
    [-1, 4],
    [1, 0.5],
  ] as const) {
    t.throws(() => consistencyProof(source, from, to), { code: 'TREE_RANGE' }, `${from} to ${to}`);
  }
  t.throws(() => rootOf(source, 5), { code: 'TREE_RANGE' });
  const empty = (() => undefined) as unknown as () => Uint8Array;
  t.throws(() => rootOf(empty, 5), { code: 'TREE_RANGE' });
});

t.test('the empty tree is a prefix of every tree, with its own root and no proof', async (t) => {
  const newRoot = roots[8]!;
  t.ok(verifyConsistency({ oldSize: 0, oldRoot: emptyRoot(), newSize: 8, newRoot, proof: [] }));
  t.ok(verifyConsistency({ oldSize: 0, oldRoot: emptyRoot(), newSize: 0, newRoot: emptyRoot(), proof: [] }));
  t.notOk(verifyConsistency({ oldSize: 0, oldRoot: newRoot, newSize: 8, newRoot, proof: [] }));
  t.notOk(verifyConsistency({ oldSize: 0, oldRoot: emptyRoot(), newSize: 8, newRoot, proof: [newRoot] }));
});

t.test('malformed claims are false, not errors', async (t) => {
  const good = { leafHash: leaves[1]!, index: 1, size: 8, root: roots[8]!, proof: inclusionProof(leaves, 1, 8) };
  t.ok(verifyInclusion(good));
  for (const index of [-1, 8, 1.5, Number.NaN, 2 ** 53]) t.notOk(verifyInclusion({ ...good, index }));
  t.notOk(verifyInclusion({ ...good, root: good.root.subarray(1) }));
  t.notOk(verifyInclusion({ ...good, proof: [...good.proof.slice(1), Buffer.alloc(31)] }));
  t.notOk(verifyInclusion({ ...good, proof: [undefined as unknown as Uint8Array, ...good.proof.slice(1)] }));
});

t.test('proofs work at sizes no bit operation of JavaScript reaches', async (t) => {
  // A tree whose leaves are all alike needs one hash a level, so a reader can answer for any size.
  const level: Uint8Array[] = [leafHash(Buffer.from('same'))];
  const read = (depth: number): Uint8Array => {
    for (let i = level.length; i <= depth; i += 1) level.push(nodeHash(level[i - 1]!, level[i - 1]!));
    return level[depth] as Uint8Array;
  };
  const size = 2 ** 52 + 2 ** 33 + 5;
  const root = rootOf(read, size);
  for (const index of [0, 2 ** 31, 2 ** 32 + 1, 2 ** 52, size - 1]) {
    const proof = inclusionProof(read, index, size);
    t.ok(verifyInclusion({ leafHash: read(0), index, size, root, proof }), `leaf ${index}`);
    const broken = [Buffer.alloc(32), ...proof.slice(1)];
    t.notOk(verifyInclusion({ leafHash: read(0), index, size, root, proof: broken }), `leaf ${index}, broken`);
    t.notOk(verifyInclusion({ leafHash: read(0), index, size, root, proof: proof.slice(1) }), `leaf ${index}, cut`);
  }
  for (const oldSize of [1, 2 ** 32, 2 ** 32 + 7, 2 ** 52, size - 1]) {
    const claim = { oldSize, oldRoot: rootOf(read, oldSize), newSize: size, newRoot: root };
    t.ok(verifyConsistency({ ...claim, proof: consistencyProof(read, oldSize, size) }), `from ${oldSize}`);
  }
});

t.test('appending keeps to a rate that never slows a log', async (t) => {
  const leaf = leaves[0] as Uint8Array;
  const count = 100_000;
  const run = (append: () => unknown) => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i += 1) append();
    return Number(process.hrtime.bigint() - start) / count;
  };
  const frontier = new Frontier();
  const nodes: TreeNode[] = [];
  run(() => leafHash(leaf));
  const hashNs = run(() => leafHash(leaf));
  const appendNs = run(() => frontier.append(leaf));
  const nodesNs = run(() => nodes.push(...frontier.appendWithNodes(leaf)));
  t.comment(`one hash ${hashNs.toFixed(0)} ns, append ${appendNs.toFixed(0)} ns, with nodes ${nodesNs.toFixed(0)} ns`);
  // One leaf costs one interior hash on average: more than six of them means work per leaf grew with the tree.
  t.ok(appendNs < 6 * hashNs && nodesNs < 6 * hashNs);
});
