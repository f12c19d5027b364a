import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { Clock } from '@sitewarden/kit/time';
import { readCursor, STAGES, type StageName } from './cursors.ts';
import { prepared } from './statements.ts';

export interface StageHealth {
  readonly name: StageName;
  /** Rows behind the cursor. */
  readonly waiting: number;
  /** Of the oldest of them; 0 for none. */
  readonly oldestAgeMs: number;
  /** Turns in a row that failed. */
  readonly failures: number;
  /** Since the first of them; 0 for none. */
  readonly failingForMs: number;
  /** Since a turn went well; 0 when none was tried yet. */
  readonly quietForMs: number;
}

const NEWEST = (table: string) => `SELECT coalesce(max(id), 0) AS id FROM ${table}`;

export const STAGE_HEALTH_SQL = {
  newestReport: NEWEST('report'),
  newestChange: NEWEST('change'),
  nextReport: 'SELECT received_at_ms AS atMs FROM report WHERE id > ? ORDER BY id LIMIT 1',
  nextChange: 'SELECT at_ms AS atMs FROM change WHERE id > ? ORDER BY id LIMIT 1',
} as const;

/** Monotonic milliseconds. */
interface Turns {
  failures: number;
  failingSinceMs: number;
  goodAtMs: number;
}

const turnsOf = new WeakMap<SqliteDatabase, Map<StageName, Turns>>();

/** How a turn of this stage ended. Also for a good part of a long turn. */
export function noteTurn(db: SqliteDatabase, name: StageName, end: { isGood: boolean; monotonicMs: number }): void {
  const turns = turnsOf.get(db) ?? new Map<StageName, Turns>();
  turnsOf.set(db, turns);
  const before = turns.get(name) ?? { failures: 0, failingSinceMs: 0, goodAtMs: end.monotonicMs };
  const { failures, failingSinceMs, goodAtMs } = before;
  turns.set(
    name,
    end.isGood
      ? { failures: 0, failingSinceMs: 0, goodAtMs: end.monotonicMs }
      : { failures: failures + 1, failingSinceMs: failures === 0 ? end.monotonicMs : failingSinceMs, goodAtMs },
  );
}

/** Every stage, in the order of the data. Rows say what waits; how turns went is known since the program started. */
export function stageHealths(db: SqliteDatabase, clock: Clock): StageHealth[] {
  return STAGES.map((name) => {
    const monotonicMs = clock.monotonicMs();
    const { failures, failingSinceMs, goodAtMs } = turnsOf.get(db)?.get(name) ?? {
      failures: 0,
      failingSinceMs: 0,
      goodAtMs: monotonicMs,
    };
    return {
      name,
      ...backlogOf(db, name, clock.nowMs()),
      failures,
      failingForMs: failures === 0 ? 0 : monotonicMs - failingSinceMs,
      quietForMs: monotonicMs - goodAtMs,
    };
  });
}

/** What a stage has not read yet; `assess` reads reports, the others read changes. */
export function backlogOf(
  db: SqliteDatabase,
  name: StageName,
  nowMs: number,
): { waiting: number; oldestAgeMs: number } {
  const isOfReports = name === 'assess';
  const { newestReport, newestChange, nextReport, nextChange } = STAGE_HEALTH_SQL;
  const newest = prepared<[], { id: number }>(db, isOfReports ? newestReport : newestChange).get()!.id;
  const cursor = readCursor(db, name);
  if (newest <= cursor) return { waiting: 0, oldestAgeMs: 0 };
  const next = prepared<[number], { atMs: number }>(db, isOfReports ? nextReport : nextChange).get(cursor);
  return { waiting: newest - cursor, oldestAgeMs: Math.max(0, nowMs - (next?.atMs ?? nowMs)) };
}

/** A turn takes milliseconds and a failed one is tried again within a minute: three in a row, this long, are no accident. */
const FAILING_MS = 30_000;
const FAILING_TURNS = 3;
/** Each stage looks every few seconds whether there is work: so long without a good turn, it hangs. */
const QUIET_MS = 120_000;

/** Pure. Rows wait and nobody gets anywhere with them. */
export function isStuck({ waiting, failures, failingForMs, quietForMs }: StageHealth): boolean {
  if (failures >= FAILING_TURNS && failingForMs >= FAILING_MS) return true;
  return waiting > 0 && quietForMs >= QUIET_MS;
}
