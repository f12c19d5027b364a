import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import { advanceCursor, readCursor } from './cursors.ts';
import { type Stage, type StageOptions, stageOf } from './stage.ts';

/** Sockets wait for one turn: so long reading and deciding takes in one go when little waits, and when much does. */
const TURN_MS = { least: 5, most: 40 };
/** A flood is not to leave it behind for good: each millisecond more for so many rows that wait. */
const ROWS_PER_MS = 100;
/** While more rows wait, so much is gathered before it is written: the larger, the fewer rows for each report. */
const GATHER_ROWS = 5000;
const GATHER_MS = 500;
/** A lone row is written at once; of a stream that leaves nothing waiting, so many commits a second are enough. */
const PAUSE_MS = 100;

export interface GatheringStageOptions<R extends { readonly id: number }>
  extends Pick<StageOptions<R>, 'name' | 'ctx' | 'wakeOn' | 'onCommitted'> {
  /** Rows of one read: they are in memory together. */
  readonly batch: number;
  read(db: SqliteDatabase, afterId: number, limit: number): R[];
  /** Id of the newest row there is; 0 for none. */
  newestId(db: SqliteDatabase): number;
  /** Others have written since the last turn. */
  beginTurn(): void;
  /** Notes in memory what these rows lead to. Outside any transaction; must not wait. */
  gather(rows: readonly R[]): void;
  /** Whether something was noted that must be written before anybody else gets a turn. */
  isUrgent(): boolean;
  /** Writes what was noted, inside the one transaction that moves the cursor too. */
  write(): void;
  /** What was noted is not written; its rows come again. */
  forget(): void;
}

interface Gathered {
  /** Id of the last row. */
  readonly through: number;
  readonly count: number;
  readonly sinceMs: number;
}

/**
 * A stage whose effects get cheaper the more rows are taken together. Under load it writes every GATHER_MS, in a steady
 * stream every PAUSE_MS, otherwise at once; as with every stage, effects and cursor are one commit, and a kill before it
 * only means to read the rows again.
 */
export function createGatheringStage<R extends { readonly id: number }>(options: GatheringStageOptions<R>): Stage {
  const { name, ctx, batch } = options;
  const { db } = ctx;
  let gathered: Gathered | undefined;
  let writtenAtMs = -PAUSE_MS;
  let isSettling = false;
  let pause: NodeJS.Timeout | undefined;

  function gather(): { hasMore: boolean } {
    let through = gathered?.through ?? readCursor(db, name);
    const waiting = options.newestId(db) - through;
    if (waiting <= 0) return { hasMore: false };
    const endMs = performance.now() + Math.min(TURN_MS.most, TURN_MS.least + waiting / ROWS_PER_MS);
    for (;;) {
      const rows = options.read(db, through, batch);
      const last = rows.at(-1);
      if (last === undefined) return { hasMore: false };
      options.gather(rows);
      through = last.id;
      const { count, sinceMs } = gathered ?? { count: 0, sinceMs: performance.now() };
      gathered = { through, count: count + rows.length, sinceMs };
      if (rows.length < batch) return { hasMore: false };
      if (options.isUrgent() || performance.now() >= endMs) return { hasMore: true };
    }
  }

  function write({ through, count }: Gathered): void {
    withTransaction(db, () => {
      options.write();
      advanceCursor(db, name, through);
    });
    gathered = undefined;
    writtenAtMs = performance.now();
    ctx.metrics.stageRows.inc({ stage: name }, count);
    options.onCommitted?.();
  }

  function isDue({ count, sinceMs }: Gathered, hasMore: boolean): boolean {
    const nowMs = performance.now();
    if (options.isUrgent() || (isSettling && !hasMore)) return true;
    if (count >= GATHER_ROWS || nowMs - sinceMs >= GATHER_MS) return true;
    if (hasMore) return false;
    const waitMs = writtenAtMs + PAUSE_MS - nowMs;
    if (waitMs <= 0) return true;
    pause ??= setTimeout(() => {
      pause = undefined;
      stage.wake();
    }, waitMs);
    return false;
  }

  function turn(): boolean {
    try {
      options.beginTurn();
      const { hasMore } = gather();
      if (gathered === undefined) return false;
      if (isDue(gathered, hasMore)) write(gathered);
      return hasMore;
    } catch (error) {
      gathered = undefined;
      options.forget();
      throw error;
    }
  }
  const stage = stageOf(options, turn);
  return {
    ...stage,
    async stop() {
      await stage.stop();
      clearTimeout(pause);
    },
    async settle() {
      isSettling = true;
      await stage.settle().finally(() => {
        isSettling = false;
      });
    },
  };
}
