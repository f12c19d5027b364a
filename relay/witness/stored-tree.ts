import { HASH_BYTES, inclusionProof, type NodeReader, rootOf } from '@sitewarden/agent-proto/merkle';
import type { Tx } from '../store/index.ts';
import { type LogRef, readNodes } from '../store/repositories/evidence.ts';

const ZERO = new Uint8Array(HASH_BYTES);

/**
 * Runs a computation over stored tree nodes with one query: a first run finds out which nodes it reads, a second one
 * gets them. Throws TREE_RANGE when a node is not stored.
 */
async function overNodes<T>(trx: Tx, key: LogRef, compute: (read: NodeReader) => T): Promise<T> {
  const wanted: { level: number; index: number }[] = [];
  compute((level, index) => {
    wanted.push({ level, index });
    return ZERO;
  });
  const nodes = await readNodes(trx, key, wanted);
  return compute((level, index) => Buffer.from(nodes.get(`${level}/${index}`) ?? '', 'hex'));
}

/** Root over the first `size` stored entries. */
export const storedRoot = (trx: Tx, key: LogRef, size: number): Promise<Uint8Array> =>
  overNodes(trx, key, (read) => rootOf(read, size));

/** Audit path of the entry `index` in the tree of the first `size` stored entries. */
export const storedInclusion = (
  trx: Tx,
  key: LogRef,
  { index, size }: { index: number; size: number },
): Promise<Uint8Array[]> => overNodes(trx, key, (read) => inclusionProof(read, index, size));
