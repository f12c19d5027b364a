import type { LossSum } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { append, type LossBody } from './changes.ts';
import { prepared } from './statements.ts';

export const LOSS_SQL = {
  note: `INSERT INTO loss (what, code, events, row_count, first_at_ms, last_at_ms) VALUES (@what, @code, 1, @rows, @atMs, @atMs)
    ON CONFLICT (what, code) DO UPDATE SET events = events + 1, row_count = row_count + excluded.row_count,
      last_at_ms = max(last_at_ms, excluded.last_at_ms)`,
  list: `SELECT what, code, events, row_count AS rows, first_at_ms AS firstAtMs, last_at_ms AS lastAtMs
    FROM loss ORDER BY last_at_ms DESC, what, code LIMIT ?`,
} as const;

export interface CountedLoss extends Omit<LossBody, 'text'> {
  readonly atMs: number;
}

/** For a loss that is an entry of the evidence already. */
export function countLoss(db: SqliteDatabase, { what, code, count, atMs }: CountedLoss): void {
  prepared(db, LOSS_SQL.note).run({ what, code, rows: count ?? 0, atMs });
}

/** Counts it and makes it an entry of the evidence. Belongs in the transaction that loses it; then emit `change`. */
export function noteLoss(db: SqliteDatabase, { atMs, ...body }: LossBody & { readonly atMs: number }): void {
  countLoss(db, { ...body, atMs });
  const { what } = body;
  append(db, { kind: 'loss', refId: what, body, atMs });
}

/** What and why are of a closed set, so there are never more than a few dozen. */
const MAX_SUMS = 32;

/** The loss ledger in numbers, what was lost last first. */
export function losses(db: SqliteDatabase): LossSum[] {
  return prepared<[number], LossSum>(db, LOSS_SQL.list).all(MAX_SUMS);
}
