import { ProtoError } from '../errors/index.ts';
import { emptyRoot, nodeHash } from './hash.ts';
import { type NodeReader, type TreeSource, toReader } from './reader.ts';

/** The largest power of two below `size` (at least 2), and its logarithm. */
function split(size: number): { width: number; level: number } {
  let width = 1;
  let level = 0;
  while (width * 2 < size) {
    width *= 2;
    level += 1;
  }
  return { width, level };
}

/** Hash over leaves [begin, begin + count); `begin` is a multiple of the power of two at or above `count`. */
function rangeHash(read: NodeReader, begin: number, count: number): Uint8Array {
  if (count === 1) return read(0, begin);
  const { width, level } = split(count);
  if (width * 2 === count) return read(level + 1, begin / count);
  return nodeHash(read(level, begin / width), rangeHash(read, begin + width, count - width));
}

function assertSize(size: number, name: string): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new ProtoError('TREE_RANGE', `${name} ${size} is not a tree size`);
}

/** Root of the first `size` leaves. Throws TREE_RANGE when a node is missing. */
export function rootOf(source: TreeSource, size: number): Uint8Array {
  assertSize(size, 'size');
  return size === 0 ? emptyRoot() : rangeHash(toReader(source), 0, size);
}

/** RFC 6962, 2.1.1: the audit path of leaf `index` in the tree of `size` leaves, leaf side first. Throws TREE_RANGE. */
export function inclusionProof(source: TreeSource, index: number, size: number): Uint8Array[] {
  assertSize(size, 'size');
  assertSize(index, 'index');
  if (index >= size) throw new ProtoError('TREE_RANGE', `There is no leaf ${index} in a tree of ${size}`);
  const read = toReader(source);
  const path: Uint8Array[] = [];
  let begin = 0;
  let count = size;
  while (count > 1) {
    const { width } = split(count);
    const isLeft = index - begin < width;
    path.push(isLeft ? rangeHash(read, begin + width, count - width) : rangeHash(read, begin, width));
    begin += isLeft ? 0 : width;
    count = isLeft ? width : count - width;
  }
  return path.reverse();
}

/**
 * RFC 6962, 2.1.2: proof that the first `oldSize` leaves of the tree of `newSize` are the old tree. Empty when
 * `oldSize` is 0 or `newSize`. Throws TREE_RANGE.
 */
export function consistencyProof(source: TreeSource, oldSize: number, newSize: number): Uint8Array[] {
  assertSize(oldSize, 'oldSize');
  assertSize(newSize, 'newSize');
  if (oldSize > newSize) throw new ProtoError('TREE_RANGE', `oldSize ${oldSize} is above newSize ${newSize}`);
  if (oldSize === 0 || oldSize === newSize) return [];
  const read = toReader(source);
  const path: Uint8Array[] = [];
  let begin = 0;
  let count = newSize;
  let old = oldSize;
  let isOldRootKnown = true;
  while (old !== count) {
    const { width } = split(count);
    if (old <= width) {
      path.push(rangeHash(read, begin + width, count - width));
      count = width;
    } else {
      path.push(rangeHash(read, begin, width));
      begin += width;
      old -= width;
      count -= width;
      isOldRootKnown = false;
    }
  }
  if (!isOldRootKnown) path.push(rangeHash(read, begin, count));
  return path.reverse();
}
