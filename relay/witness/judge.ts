import { emptyRoot, verifyConsistency } from '@sitewarden/agent-proto/merkle';

/** The head the relay last cosigned; size 0 before the first time. */
export interface CosignedHead {
  size: number;
  /** Hex; empty before the first time. */
  root: string;
}

/** The checkpoint a box asks to have cosigned, its signature already verified. */
export interface Submitted {
  oldSize: number;
  size: number;
  root: Uint8Array;
  proof: readonly Uint8Array[];
}

/**
 * What C2SP tlog-witness says to do, in its order. `conflict` carries the size to prove from. `fork`: one size with two
 * roots. `rollback`: a checkpoint below what was cosigned before. Both are told to staff.
 */
export type WitnessVerdict =
  | { kind: 'accept' }
  | { kind: 'malformed'; detail: string }
  | { kind: 'conflict'; size: number; isRollback: boolean }
  | { kind: 'fork'; detail: string }
  | { kind: 'unproved' };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export function judgeCheckpoint(head: CosignedHead, submitted: Submitted): WitnessVerdict {
  const { oldSize, size, root, proof } = submitted;
  if (oldSize > size) return { kind: 'malformed', detail: 'The old size is above the size of the checkpoint' };
  if (size === head.size && head.size > 0 && hex(root) !== head.root) {
    return {
      kind: 'fork',
      detail: `Size ${size} was cosigned with root ${head.root} and is now signed with ${hex(root)}`,
    };
  }
  if (oldSize !== head.size) return { kind: 'conflict', size: head.size, isRollback: size < head.size };
  if (oldSize === 0 && proof.length > 0) return { kind: 'malformed', detail: 'A proof from size 0 is empty' };
  const oldRoot = head.size === 0 ? emptyRoot() : Buffer.from(head.root, 'hex');
  const isConsistent = verifyConsistency({ oldSize, oldRoot, newSize: size, newRoot: root, proof });
  return isConsistent ? { kind: 'accept' } : { kind: 'unproved' };
}
