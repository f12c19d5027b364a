import type { EntryKind } from '@sitewarden/agent-proto/evidence';
import { nodeHash, type TreeNode } from '@sitewarden/agent-proto/merkle';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared } from './statements.ts';

export interface LeafRow {
  /** Leaf index, from 0. */
  readonly seq: number;
  readonly kind: EntryKind;
  /** The exact bytes of the DSSE envelope; null once it was deleted after a mirror cosignature. */
  readonly envelope: Buffer;
  readonly leafHash: Buffer;
  /** Leaf hash of the entry before, empty for entry 0. */
  readonly prev: Buffer;
  readonly atMs: number;
}

export interface CheckpointRow {
  readonly size: number;
  readonly note: string;
  readonly cosignedNote: string | null;
  readonly atMs: number;
}

/** A subtree of 16 leaves costs 15 hashes to make again, and storing fewer nodes is a tenth of an append. */
const STORED_FROM_LEVEL = 4;
const NO_HASH = new Uint8Array();

const LEAF = 'seq, kind, envelope, leaf_hash AS leafHash, prev, at_ms AS atMs';
const CHECKPOINT = 'size, note, cosigned_note AS cosignedNote, at_ms AS atMs';

export const EVIDENCE_SQL = {
  insertLeaf: 'INSERT INTO evidence_leaf (seq, kind, envelope, leaf_hash, prev, at_ms) VALUES (?, ?, ?, ?, ?, ?)',
  insertNode: 'INSERT INTO evidence_node (level, idx, hash) VALUES (?, ?, ?)',
  lastLeaf: `SELECT ${LEAF} FROM evidence_leaf ORDER BY seq DESC LIMIT 1`,
  leaves: `SELECT ${LEAF} FROM evidence_leaf WHERE seq >= ? ORDER BY seq LIMIT ?`,
  node: 'SELECT hash FROM evidence_node WHERE level = ? AND idx = ?',
  leafHash: 'SELECT leaf_hash AS hash FROM evidence_leaf WHERE seq = ?',
  lastSeq: 'SELECT max(seq) AS seq FROM evidence_leaf',
  insertCheckpoint: 'INSERT OR IGNORE INTO evidence_checkpoint (size, note, at_ms) VALUES (?, ?, ?)',
  lastCheckpoint: `SELECT ${CHECKPOINT} FROM evidence_checkpoint ORDER BY size DESC LIMIT 1`,
  lastCheckpointThrough: `SELECT ${CHECKPOINT} FROM evidence_checkpoint WHERE size <= ? ORDER BY size DESC LIMIT 1`,
  lastCosigned: `SELECT ${CHECKPOINT} FROM evidence_checkpoint WHERE cosigned_note IS NOT NULL ORDER BY size DESC LIMIT 1`,
  ofIncident: 'UPDATE incident SET evidence_seq = ? WHERE id = ?',
  ofActionRun: 'UPDATE action_run SET evidence_seq = ? WHERE id = ?',
  setCosigned: 'UPDATE evidence_checkpoint SET cosigned_note = ? WHERE size = ?',
} as const;

/** Throws SQLITE_CONSTRAINT when the place or the predecessor is taken: the log cannot fork. */
export function insertLeaf(
  db: SqliteDatabase,
  leaf: { [K in keyof LeafRow]: LeafRow[K] extends Buffer ? Uint8Array : LeafRow[K] },
): void {
  prepared(db, EVIDENCE_SQL.insertLeaf).run(leaf.seq, leaf.kind, leaf.envelope, leaf.leafHash, leaf.prev, leaf.atMs);
}

/** Keeps what is dear to compute again; the levels below are made from their leaves when a proof asks. */
export function insertNode(db: SqliteDatabase, { level, index, hash }: TreeNode): void {
  if (level >= STORED_FROM_LEVEL) prepared(db, EVIDENCE_SQL.insertNode).run(level, index, hash);
}

export function lastLeaf(db: SqliteDatabase): LeafRow | undefined {
  return prepared<[], LeafRow>(db, EVIDENCE_SQL.lastLeaf).get();
}

/** Entries so far. */
export function size(db: SqliteDatabase): number {
  return (prepared<[], { seq: number | null }>(db, EVIDENCE_SQL.lastSeq).get()?.seq ?? -1) + 1;
}

/** From leaf index `from`, in order. */
export function leaves(db: SqliteDatabase, from: number, limit: number): LeafRow[] {
  return prepared<[number, number], LeafRow>(db, EVIDENCE_SQL.leaves).all(from, limit);
}

/** Hash of a perfect subtree; empty when it is not all there, which the proof functions refuse. */
export function node(db: SqliteDatabase, level: number, index: number): Uint8Array {
  if (level >= STORED_FROM_LEVEL) {
    return prepared<[number, number], { hash: Buffer }>(db, EVIDENCE_SQL.node).get(level, index)?.hash ?? NO_HASH;
  }
  if (level === 0) return prepared<[number], { hash: Buffer }>(db, EVIDENCE_SQL.leafHash).get(index)?.hash ?? NO_HASH;
  const left = node(db, level - 1, 2 * index);
  const right = node(db, level - 1, 2 * index + 1);
  return left.length === 0 || right.length === 0 ? NO_HASH : nodeHash(left, right);
}

/** Does nothing when there is one of this size. */
export function insertCheckpoint(
  db: SqliteDatabase,
  { size: treeSize, note, atMs }: Omit<CheckpointRow, 'cosignedNote'>,
): void {
  prepared(db, EVIDENCE_SQL.insertCheckpoint).run(treeSize, note, atMs);
}

export function lastCheckpoint(db: SqliteDatabase): CheckpointRow | undefined {
  return prepared<[], CheckpointRow>(db, EVIDENCE_SQL.lastCheckpoint).get();
}

/** Of at most so many entries. */
export function lastCheckpointThrough(db: SqliteDatabase, maxSize: number): CheckpointRow | undefined {
  return prepared<[number], CheckpointRow>(db, EVIDENCE_SQL.lastCheckpointThrough).get(maxSize);
}

export function lastCosigned(db: SqliteDatabase): CheckpointRow | undefined {
  return prepared<[], CheckpointRow>(db, EVIDENCE_SQL.lastCosigned).get();
}

export function setCosigned(db: SqliteDatabase, treeSize: number, cosignedNote: string): void {
  prepared(db, EVIDENCE_SQL.setCosigned).run(cosignedNote, treeSize);
}

/** The newest entry about this incident. */
export function markIncident(db: SqliteDatabase, id: string, seq: number): void {
  prepared(db, EVIDENCE_SQL.ofIncident).run(seq, id);
}

/** The newest entry about this run. */
export function markActionRun(db: SqliteDatabase, id: string, seq: number): void {
  prepared(db, EVIDENCE_SQL.ofActionRun).run(seq, id);
}
