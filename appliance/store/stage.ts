import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import type { ApplianceContext } from '../lib/context.ts';
import { createLoop } from '../lib/loop.ts';
import type { SignalName } from '../lib/signals.ts';
import { advanceCursor, readCursor, type StageName } from './cursors.ts';
import { noteTurn } from './stage-health.ts';

/** Longer transactions would hold up intake, which writes through the same connection. */
export const MAX_STAGE_ROWS = 500;

export interface StageOptions<R extends { readonly id: number }> {
  readonly name: StageName;
  readonly ctx: Pick<ApplianceContext, 'db' | 'clock' | 'log' | 'signals' | 'metrics'>;
  /** Rows of one read; at most MAX_STAGE_ROWS, the default. */
  readonly batch?: number;
  readonly wakeOn: readonly SignalName[];
  /** Rows after `afterId` in order of id, at most `limit`. */
  read(db: SqliteDatabase, afterId: number, limit: number): R[];
  /** The effects of these rows, inside the one transaction that moves the cursor too. Must not wait. */
  run(rows: readonly R[]): void;
  /** After the commit: tell the next stage. */
  onCommitted?(): void;
}

export interface Stage extends LifecyclePart {
  wake(): void;
  settle(): Promise<void>;
}

/** What only opening the database again can cure. */
export function isDiskFault(error: unknown): boolean {
  const code = String((error as { code?: unknown } | undefined)?.code);
  return code === 'SQLITE_REOPEN_NEEDED' || code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CORRUPT');
}

/** A reader of rows that does each of them exactly once: effects and cursor are one commit. */
export function createStage<R extends { readonly id: number }>(options: StageOptions<R>): Stage {
  const { name, ctx, batch = MAX_STAGE_ROWS } = options;
  const limit = Math.min(batch, MAX_STAGE_ROWS);

  function turn(): boolean {
    const rows = options.read(ctx.db, readCursor(ctx.db, name), limit);
    const last = rows.at(-1);
    if (last === undefined) return false;
    withTransaction(ctx.db, () => {
      options.run(rows);
      advanceCursor(ctx.db, name, last.id);
    });
    ctx.metrics.stageRows.inc({ stage: name }, rows.length);
    options.onCommitted?.();
    return rows.length === limit;
  }
  return stageOf(options, turn);
}

/** The life of a stage around its turns. */
export function stageOf(
  { name, ctx, wakeOn }: Pick<StageOptions<never>, 'name' | 'ctx' | 'wakeOn'>,
  turn: () => boolean | Promise<boolean>,
): Stage {
  const note = (isGood: boolean) => noteTurn(ctx.db, name, { isGood, monotonicMs: ctx.clock.monotonicMs() });
  const loop = createLoop({
    name,
    log: ctx.log,
    turn: async () => {
      const hasMore = await turn();
      note(true);
      return hasMore;
    },
    onError(error) {
      note(false);
      ctx.metrics.stageFailures.inc({ stage: name });
      if (isDiskFault(error)) ctx.signals.emit('diskFault', { error });
    },
  });
  let off: (() => void)[] = [];
  return {
    name,
    start() {
      off = wakeOn.map((signal) => ctx.signals.on(signal, loop.wake));
      loop.start();
    },
    async stop() {
      for (const leave of off) leave();
      await loop.stop();
    },
    wake: loop.wake,
    settle: loop.settle,
  };
}
