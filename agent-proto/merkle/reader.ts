import { ProtoError } from '../errors/index.ts';
import { HASH_BYTES, nodeHash } from './hash.ts';

/** Hash of the perfect subtree over leaves [index * 2^level, (index + 1) * 2^level). */
export type NodeReader = (level: number, index: number) => Uint8Array;

/** Where a proof gets its hashes: stored nodes, or simply all leaf hashes. */
export type TreeSource = NodeReader | readonly Uint8Array[];

/** A reader over leaf hashes in memory. Each interior node is computed once. */
export function readerOf(leafHashes: readonly Uint8Array[]): NodeReader {
  const levels: Uint8Array[][] = [];
  const read: NodeReader = (level, index) => {
    if (level === 0) {
      const leaf = leafHashes[index];
      if (!leaf) throw new ProtoError('TREE_RANGE', `There is no leaf ${index}`);
      return leaf;
    }
    levels[level] ??= [];
    const known = levels[level] as Uint8Array[];
    known[index] ??= nodeHash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1));
    return known[index] as Uint8Array;
  };
  return read;
}

export function toReader(source: TreeSource): NodeReader {
  const read = typeof source === 'function' ? source : readerOf(source);
  return (level, index) => {
    const hash = read(level, index);
    if (hash?.length !== HASH_BYTES) throw new ProtoError('TREE_RANGE', `Node ${level}/${index} is not there`);
    return hash;
  };
}
