import * as crypto from 'node:crypto';

export const HASH_BYTES = 32;

/** RFC 6962, 2.1: a leaf and an interior node can never be the same preimage. */
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

// One-shot hashing reads its input before it returns, so one scratch buffer serves every call of the thread.
const nodeScratch = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);
const LEAF_SCRATCH_BYTES = 64 * 1024;
let leafScratch: Buffer | undefined;

/** SHA-256(0x00 || bytes). */
export function leafHash(bytes: Uint8Array): Uint8Array {
  const length = bytes.length + 1;
  if (length > LEAF_SCRATCH_BYTES)
    return crypto.hash('sha256', Buffer.concat([Buffer.from([LEAF_PREFIX]), bytes]), 'buffer');
  leafScratch ??= Buffer.alloc(LEAF_SCRATCH_BYTES, LEAF_PREFIX);
  leafScratch.set(bytes, 1);
  return crypto.hash('sha256', leafScratch.subarray(0, length), 'buffer');
}

/** SHA-256(0x01 || left || right), both 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeScratch.set(left, 1);
  nodeScratch.set(right, 1 + HASH_BYTES);
  return crypto.hash('sha256', nodeScratch, 'buffer');
}

/** The root of the tree with no leaves: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return crypto.hash('sha256', '', 'buffer');
}
