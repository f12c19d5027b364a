/** RFC 6962 Merkle trees over SHA-256: append, prove, verify. */
export { appendLeaf, completedNodes, Frontier, type TreeNode } from './frontier.ts';
export { emptyRoot, HASH_BYTES, leafHash, nodeHash } from './hash.ts';
export { consistencyProof, inclusionProof, rootOf } from './proof.ts';
export { type NodeReader, readerOf, type TreeSource } from './reader.ts';
export { type ConsistencyClaim, type InclusionClaim, verifyConsistency, verifyInclusion } from './verify.ts';
