import { ProtoError } from '../errors/index.ts';
import { emptyRoot, HASH_BYTES, nodeHash } from './hash.ts';

/** The root of a perfect subtree: it covers leaves [index * 2^level, (index + 1) * 2^level). Level 0 is the leaf hash. */
export type TreeNode = { level: number; index: number; hash: Uint8Array };

const SIZE_BYTES = 8;

/** How many perfect subtrees a tree of `size` leaves splits into. */
function countPeaks(size: number): number {
  let peaks = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) peaks += rest % 2;
  return peaks;
}

/**
 * The right edge of an RFC 6962 tree: enough to append leaves and to know the root, never more than 53 hashes.
 * `append` works in place; take a `clone` first where a transaction may roll back.
 */
export class Frontier {
  #size = 0;
  /** Roots of the perfect subtrees, widest (leftmost) first. */
  readonly #peaks: Uint8Array[] = [];

  /** Leaves so far. */
  get size(): number {
    return this.#size;
  }

  /** Appends the hash of one leaf (kept by reference, so hand over a buffer nobody reuses). Amortized one node hash. */
  append(leaf: Uint8Array): void {
    const peaks = this.#peaks;
    let hash = assertHash(leaf);
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) hash = nodeHash(peaks.pop() as Uint8Array, hash);
    peaks.push(hash);
    this.#size += 1;
  }

  /**
   * Appends and answers with the perfect subtrees this leaf completes, level 0 (the leaf itself) first: exactly the
   * rows a node reader needs later, each made once and never changed.
   */
  appendWithNodes(leaf: Uint8Array): TreeNode[] {
    const nodes = completedNodes(this, leaf);
    const peaks = this.#peaks;
    peaks.length -= nodes.length - 1;
    peaks.push((nodes[nodes.length - 1] as TreeNode).hash);
    this.#size += 1;
    return nodes;
  }

  root(): Uint8Array {
    const peaks = this.#peaks;
    let hash = peaks[peaks.length - 1];
    if (!hash) return emptyRoot();
    for (let i = peaks.length - 2; i >= 0; i -= 1) hash = nodeHash(peaks[i] as Uint8Array, hash);
    return hash;
  }

  /** The perfect-subtree roots, widest first. */
  peaks(): readonly Uint8Array[] {
    return this.#peaks;
  }

  clone(): Frontier {
    return Frontier.of(this.size, this.#peaks);
  }

  /** 8 bytes of big-endian size, then the peaks. */
  toBytes(): Uint8Array {
    const size = Buffer.alloc(SIZE_BYTES);
    size.writeBigUInt64BE(BigInt(this.size));
    return Buffer.concat([size, ...this.#peaks]);
  }

  /** Throws FRONTIER_FORMAT unless the number of hashes fits the size. */
  static fromBytes(bytes: Uint8Array): Frontier {
    const buffer = Buffer.from(bytes);
    const size = buffer.length >= SIZE_BYTES ? Number(buffer.readBigUInt64BE()) : -1;
    const isSized = Number.isSafeInteger(size) && buffer.length === SIZE_BYTES + countPeaks(size) * HASH_BYTES;
    if (size < 0 || !isSized)
      throw new ProtoError('FRONTIER_FORMAT', `${bytes.length} bytes do not fit the size inside`);
    const peaks: Uint8Array[] = [];
    for (let at = SIZE_BYTES; at < buffer.length; at += HASH_BYTES) peaks.push(buffer.subarray(at, at + HASH_BYTES));
    return Frontier.of(size, peaks);
  }

  /** A frontier from its parts, peaks widest first. Throws FRONTIER_FORMAT when their number does not fit. */
  static of(size: number, peaks: readonly Uint8Array[]): Frontier {
    if (!Number.isSafeInteger(size) || size < 0 || peaks.length !== countPeaks(size)) {
      throw new ProtoError('FRONTIER_FORMAT', `${peaks.length} hashes do not make a tree of ${size} leaves`);
    }
    const frontier = new Frontier();
    frontier.#size = size;
    for (const peak of peaks) frontier.#peaks.push(assertHash(peak));
    return frontier;
  }
}

/** A frontier with one leaf more; the given one is left as it was. */
export function appendLeaf(frontier: Frontier, leaf: Uint8Array): Frontier {
  const next = frontier.clone();
  next.append(leaf);
  return next;
}

/** The nodes that appending `leaf` would complete, level 0 first; the frontier is left as it was. */
export function completedNodes(frontier: Frontier, leaf: Uint8Array): TreeNode[] {
  const peaks = frontier.peaks();
  let index = frontier.size;
  let hash = assertHash(leaf);
  const nodes: TreeNode[] = [{ level: 0, index, hash }];
  for (let level = 1; index % 2 === 1; level += 1) {
    index = (index - 1) / 2;
    hash = nodeHash(peaks[peaks.length - level] as Uint8Array, hash);
    nodes.push({ level, index, hash });
  }
  return nodes;
}

function assertHash(hash: Uint8Array): Uint8Array {
  if (hash.length !== HASH_BYTES) throw new ProtoError('TREE_RANGE', `A hash has ${hash.length} bytes, not 32`);
  return hash;
}
