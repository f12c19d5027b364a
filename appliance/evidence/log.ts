import type { EntryKind } from '@sitewarden/agent-proto/evidence';
import { Frontier } from '@sitewarden/agent-proto/merkle';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { EvidenceKey } from '../identity/index.ts';
import { evidence } from '../store/index.ts';
import type { ChainPlace, SignedEntry } from './chain.ts';

/** Every so many leaves a checkpoint is kept, so that no proof has to bridge more than it must. */
export const CHECKPOINT_EVERY = 256;

export interface LogWriter {
  readonly size: number;
  /** After the newest stored entry. */
  readonly place: ChainPlace;
  /** Stores an entry signed for the place after the last one; answers its seq. Belongs in a transaction; `commit` or `rollback` must follow it. */
  store(entry: { kind: EntryKind; signed: SignedEntry; atMs: number }): number;
  commit(): void;
  rollback(): void;
  /** Signs the tree as it stands, once a size. */
  checkpoint(atMs: number): void;
}

/** The one writer of this box's log: leaf, tree and tip move together or not at all. */
export function openLog(db: SqliteDatabase, { origin, evk }: { origin: string; evk: EvidenceKey }): LogWriter {
  let stored = loadTip(db);
  let tip = stored;

  function checkpoint(atMs: number): void {
    const { size } = tip.frontier;
    if (size === 0) return;
    const note = evk.checkpoint({ origin, size, rootHash: tip.frontier.root() });
    evidence.insertCheckpoint(db, { size, note, atMs });
  }

  return {
    get size() {
      return tip.frontier.size;
    },
    get place() {
      return { origin, seq: stored.frontier.size, prev: stored.prev };
    },
    store({ kind, signed, atMs }) {
      if (tip === stored) tip = { frontier: stored.frontier.clone(), prev: stored.prev };
      const { frontier } = tip;
      const seq = frontier.size;
      // The store refuses another predecessor, and this another place: what was signed for elsewhere goes nowhere.
      if (signed.seq !== seq) throw new Error(`an entry signed for place ${signed.seq} comes to place ${seq}`);
      evidence.insertLeaf(db, { ...signed, kind, atMs });
      for (const node of frontier.appendWithNodes(signed.leafHash)) evidence.insertNode(db, node);
      tip.prev = signed.leafHash;
      // What covers a change of the key is for the new one to sign.
      if (frontier.size % CHECKPOINT_EVERY === 0 && kind !== 'evk_rotated') checkpoint(atMs);
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
