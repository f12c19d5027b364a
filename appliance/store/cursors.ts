import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { prepared } from './statements.ts';

/** Readers of `report` and `change`, in the order of the data. */
export const STAGES = ['assess', 'healing', 'evidence', 'outbox'] as const;
export type StageName = (typeof STAGES)[number];

export const CURSOR_SQL = {
  read: 'SELECT position FROM stage_cursor WHERE stage = ?',
  advance: `INSERT INTO stage_cursor (stage, position) VALUES (?, ?)
    ON CONFLICT (stage) DO UPDATE SET position = excluded.position WHERE excluded.position > position`,
} as const;

/** Id of the last row the stage is done with; 0 before the first. */
export function readCursor(db: SqliteDatabase, stage: StageName): number {
  return prepared<[string], { position: number }>(db, CURSOR_SQL.read).get(stage)?.position ?? 0;
}

/** Never moves back. Belongs in the transaction of the effects. */
export function advanceCursor(db: SqliteDatabase, stage: StageName, position: number): void {
  prepared<[string, number]>(db, CURSOR_SQL.advance).run(stage, position);
}
