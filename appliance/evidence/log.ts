import { encodeEnvelope, pae } from '@sitewarden/agent-proto/dsse';
import type { EntryKind } from '@sitewarden/agent-proto/evidence';
import { PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import { Frontier, leafHash } from '@sitewarden/agent-proto/merkle';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { EvidenceKey } from '../identity/index.ts';
import { evidence } from '../store/index.ts';
import { type EntryPieces, statementText } from './entry-text.ts';

/** Every so many leaves a checkpoint is kept, so that no proof has to bridge more than it must. */
export const CHECKPOINT_EVERY = 256;

export interface LogWriter {
  readonly origin: string;
  readonly size: number;
  /** Signs and stores one entry; answers its seq. Belongs in a transaction; `commit` or `rollback` must follow it. */
  append(entry: { kind: EntryKind; pieces: EntryPieces; atMs: number }): number;
  commit(): void;
  rollback(): void;
  /** Signs the tree as it stands, once a size. */
  checkpoint(atMs: number): void;
}

/**
 * The one writer of this box's log. The next entry needs the hash of the one before, signature and all, so entries are
 * made strictly one after the other; what can be prepared for all of them at once is (EntryPieces).
 */
export function openLog(db: SqliteDatabase, { origin, evk }: { origin: string; evk: EvidenceKey }): LogWriter {
  let stored = loadTip(db);
  let tip = stored;
  const payloadType = PAYLOAD_TYPES.evidence;

  function checkpoint(atMs: number): void {
    const size = tip.frontier.size;
    if (size === 0) return;
    const note = evk.checkpoint({ origin, size, rootHash: tip.frontier.root() });
    evidence.insertCheckpoint(db, { size, note, atMs });
  }

  return {
    origin,
    get size() {
      return tip.frontier.size;
    },
    append({ kind, pieces, atMs }) {
      if (tip === stored) tip = { frontier: stored.frontier.clone(), prev: stored.prev };
      const { frontier, prev } = tip;
      const prevHex = hexOf(prev);
      const seq = frontier.size;
      const payload = Buffer.from(statementText(pieces, { origin, seq, prev: prevHex }), 'utf8');
      const signature = evk.sign(pae(payloadType, payload));
      const envelope = encodeEnvelope({ payloadType, payload, keyId: evk.fingerprint, signature });
      const hash = leafHash(envelope);
      evidence.insertLeaf(db, { seq, kind, envelope, leafHash: hash, prev, atMs });
      for (const node of frontier.appendWithNodes(hash)) evidence.insertNode(db, node);
      tip.prev = hash;
      if (frontier.size % CHECKPOINT_EVERY === 0) checkpoint(atMs);
      return seq;
    },
    commit() {
      stored = tip;
    },
    rollback() {
      tip = stored;
    },
    checkpoint,
  };
}

interface Tip {
  readonly frontier: Frontier;
  /** Leaf hash of the newest entry; empty before the first. */
  prev: Uint8Array;
}

const hexOf = (hash: Uint8Array): string => Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');

/** The right edge of the stored tree: one node for each bit of its size. */
function loadTip(db: SqliteDatabase): Tip {
  const last = evidence.lastLeaf(db);
  if (last === undefined) return { frontier: new Frontier(), prev: new Uint8Array() };
  const size = last.seq + 1;
  const peaks: Uint8Array[] = [];
  let begin = 0;
  for (let level = Math.floor(Math.log2(size)); level >= 0; level -= 1) {
    const width = 2 ** level;
    if (Math.floor(size / width) % 2 === 0) continue;
    peaks.push(evidence.node(db, level, begin / width));
    begin += width;
  }
  return { frontier: Frontier.of(size, peaks), prev: last.leafHash };
}
