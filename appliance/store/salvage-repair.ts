import { Frontier } from '@sitewarden/agent-proto/merkle';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { insertNode } from './evidence.ts';

const READERS = [
  { stage: 'assess', table: 'report' },
  { stage: 'healing', table: 'change' },
  { stage: 'evidence', table: 'change' },
  { stage: 'outbox', table: 'change' },
] as const;

/** New rows take the numbers after the highest one that is left; a cursor beyond that would skip them. */
export function setBackCursors(db: SqliteDatabase): void {
  for (const { stage, table } of READERS) {
    db.prepare(
      `UPDATE stage_cursor SET position = min(position, coalesce((SELECT max(id) FROM ${table}), 0)) WHERE stage = ?`,
    ).run(stage);
  }
}

/** Rows that are left follow on what was acknowledged, without holes: a hole would be a gap at the relay for ever. */
export function renumberLanes(db: SqliteDatabase): void {
  const lanes = db.prepare('SELECT lane, acked_through AS acked FROM outbox_lane').all() as {
    lane: string;
    acked: number;
  }[];
  for (const { lane, acked } of lanes) {
    db.prepare('DELETE FROM outbox_row WHERE lane = ? AND seq <= ?').run(lane, acked);
    const seqs = db.prepare('SELECT seq FROM outbox_row WHERE lane = ? ORDER BY seq').pluck().all(lane) as number[];
    const move = db.prepare('UPDATE outbox_row SET seq = ? WHERE lane = ? AND seq = ?');
    for (const [i, seq] of seqs.entries()) if (seq !== acked + 1 + i) move.run(acked + 1 + i, lane, seq);
    if (lane !== 'evidence') {
      db.prepare('UPDATE outbox_lane SET next_seq = ? WHERE lane = ?').run(acked + 1 + seqs.length, lane);
    }
  }
}

/** The inner nodes of the tree, from the leaves that are there. */
export function rebuildTree(db: SqliteDatabase): void {
  db.exec('DELETE FROM evidence_node');
  const frontier = new Frontier();
  const leaves = db.prepare('SELECT leaf_hash AS hash FROM evidence_leaf ORDER BY seq').all() as { hash: Buffer }[];
  for (const { hash } of leaves) {
    for (const node of frontier.appendWithNodes(hash)) insertNode(db, node);
  }
}
