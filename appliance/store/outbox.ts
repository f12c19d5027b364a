import type { Lane } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared } from './statements.ts';

/** Lanes with rows of their own; the evidence lane is read from `evidence_leaf`. */
export type StoredLane = Exclude<Lane, 'evidence'>;

export interface LaneRow {
  readonly lane: Lane;
  readonly epoch: number;
  /** Of the next row to append; for evidence it is not used. */
  readonly nextSeq: number;
  readonly ackedThrough: number;
}

export interface OutboxRow {
  readonly seq: number;
  readonly body: Buffer;
}

export const OUTBOX_SQL = {
  lane: 'SELECT lane, epoch, next_seq AS nextSeq, acked_through AS ackedThrough FROM outbox_lane WHERE lane = ?',
  openLane: 'INSERT OR IGNORE INTO outbox_lane (lane, epoch) VALUES (?, ?)',
  takeSeqs: 'UPDATE outbox_lane SET next_seq = next_seq + ? WHERE lane = ? RETURNING next_seq AS nextSeq',
  insert: 'INSERT INTO outbox_row (lane, seq, body, created_at_ms) VALUES (?, ?, ?, ?)',
  batch: 'SELECT seq, body FROM outbox_row WHERE lane = ? AND seq >= ? ORDER BY seq LIMIT ?',
  oldest: 'SELECT created_at_ms AS createdAtMs FROM outbox_row WHERE lane = ? ORDER BY seq LIMIT 1',
  ack: 'UPDATE outbox_lane SET acked_through = ? WHERE lane = ? AND acked_through < ?',
  flip: 'UPDATE outbox_row SET seq = -seq WHERE lane = ?',
  land: 'UPDATE outbox_row SET seq = ? - seq WHERE lane = ?',
  shiftLane: 'UPDATE outbox_lane SET acked_through = ?, next_seq = next_seq + ? WHERE lane = ?',
  rewind: 'UPDATE outbox_lane SET acked_through = ? WHERE lane = ?',
  setAside: `INSERT OR IGNORE INTO outbox_aside (lane, seq, body, code, detail, created_at_ms, aside_at_ms)
    SELECT lane, seq, body, ?, ?, created_at_ms, ? FROM outbox_row WHERE lane = ? AND seq = ?`,
  countAside: 'SELECT count(*) AS n FROM outbox_aside WHERE lane = ? AND seq BETWEEN ? AND ?',
  pruneAside: `DELETE FROM outbox_aside WHERE (lane, seq) IN
    (SELECT lane, seq FROM outbox_aside WHERE aside_at_ms < ? LIMIT ?)`,
  removeThrough: 'DELETE FROM outbox_row WHERE lane = ? AND seq <= ?',
} as const;

export function lane(db: SqliteDatabase, name: Lane): LaneRow | undefined {
  return prepared<[string], LaneRow>(db, OUTBOX_SQL.lane).get(name);
}

/** Does nothing when the lane is there. */
export function openLane(db: SqliteDatabase, name: Lane, epoch: number): void {
  prepared(db, OUTBOX_SQL.openLane).run(name, epoch);
}

/** Appends with contiguous sequence numbers. The lane must be open; belongs in a transaction. */
export function append(
  db: SqliteDatabase,
  name: StoredLane,
  rows: readonly { body: Uint8Array; createdAtMs: number }[],
): void {
  if (rows.length === 0) return;
  const taken = prepared<[number, string], { nextSeq: number }>(db, OUTBOX_SQL.takeSeqs).get(rows.length, name);
  if (taken === undefined) throw new Error(`the lane ${name} is not open`);
  const insert = prepared<[string, number, Uint8Array, number]>(db, OUTBOX_SQL.insert);
  let seq = taken.nextSeq - rows.length;
  for (const { body, createdAtMs } of rows) insert.run(name, seq++, body, createdAtMs);
}

/** In order from `fromSeq`. */
export function batch(
  db: SqliteDatabase,
  name: StoredLane,
  { fromSeq, limit }: { fromSeq: number; limit: number },
): OutboxRow[] {
  return prepared<[string, number, number], OutboxRow>(db, OUTBOX_SQL.batch).all(name, fromSeq, limit);
}

/** When the oldest waiting row was made; undefined for an empty lane. */
export function oldestAtMs(db: SqliteDatabase, name: StoredLane): number | undefined {
  return prepared<[string], { createdAtMs: number }>(db, OUTBOX_SQL.oldest).get(name)?.createdAtMs;
}

/** The relay has everything up to `through`: remembers it and removes the rows. Belongs in a transaction. */
export function acknowledge(db: SqliteDatabase, name: Lane, through: number): void {
  prepared(db, OUTBOX_SQL.ack).run(through, name, through);
  if (name !== 'evidence') prepared(db, OUTBOX_SQL.removeThrough).run(name, through);
}

export interface Refusal {
  readonly seq: number;
  readonly code: string;
  readonly detail: string;
  readonly atMs: number;
}

/** The relay will not take this row, the oldest that waits: it is kept apart, and the lane goes on. Belongs in a transaction. */
export function setAside(db: SqliteDatabase, name: StoredLane, { seq, code, detail, atMs }: Refusal): void {
  prepared(db, OUTBOX_SQL.setAside).run(code, detail, atMs, name, seq);
  acknowledge(db, name, seq);
}

/** Of the rows from `fromSeq` through `throughSeq`. */
export function countAside(db: SqliteDatabase, name: StoredLane, fromSeq: number, throughSeq: number): number {
  const count = prepared<[string, number, number], { n: number }>(db, OUTBOX_SQL.countAside);
  return count.get(name, fromSeq, throughSeq)?.n ?? 0;
}

export function pruneAside(db: SqliteDatabase, beforeMs: number, limit: number): number {
  return prepared(db, OUTBOX_SQL.pruneAside).run(beforeMs, limit).changes;
}

/** The relay lost what it had acknowledged. Only for evidence, whose rows are still here. */
export function rewind(db: SqliteDatabase, name: 'evidence', through: number): void {
  prepared(db, OUTBOX_SQL.rewind).run(through, name);
}

/**
 * The relay has rows of this lane beyond any made here: this disk was set back to an older state. What waits gets the
 * numbers after those, or it would count as delivered. Belongs in a transaction.
 */
export function moveBehind(db: SqliteDatabase, name: StoredLane, ackedThrough: number): void {
  const { ackedThrough: before } = lane(db, name)!;
  const by = ackedThrough - before;
  prepared(db, OUTBOX_SQL.flip).run(name);
  prepared(db, OUTBOX_SQL.land).run(by, name);
  prepared(db, OUTBOX_SQL.shiftLane).run(ackedThrough, by, name);
}
