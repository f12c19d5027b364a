import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { withTransaction } from '@sitewarden/kit/sqlite';
import type { ApplianceContext } from '../lib/context.ts';
import { createLoop } from '../lib/loop.ts';
import type { RelayClock } from '../lib/relay-clock.ts';
import * as certificates from './certificates.ts';
import * as changes from './changes.ts';
import { readCursor } from './cursors.ts';
import * as enrollTokens from './enroll-tokens.ts';
import * as outbox from './outbox.ts';
import { prepared } from './statements.ts';

const DAY_MS = 86_400_000;

/** What every reader is done with is kept a while for looking back, then goes. */
export const RETENTION = {
  changesMs: 7 * DAY_MS,
  /** Room for a clock that was ahead when they ended. */
  certificatesMs: 400 * DAY_MS,
  tokensMs: 30 * DAY_MS,
  ordersMs: 90 * DAY_MS,
  /** Rows the relay would not take. */
  asideMs: 90 * DAY_MS,
  /** Deleted in one transaction: a longer one would hold intake up. */
  rowsPerTurn: 500,
} as const;

export const RETENTION_SQL = {
  agentOrders: `DELETE FROM agent_order WHERE id IN (SELECT id FROM agent_order
    WHERE changed_at_ms < ? AND state NOT IN ('queued', 'delivered', 'started') LIMIT ?)`,
  // Between two cosigned checkpoints the older ones prove nothing more.
  checkpoints: `DELETE FROM evidence_checkpoint WHERE cosigned_note IS NULL AND size IN (SELECT size FROM evidence_checkpoint
    WHERE size < (SELECT max(size) FROM evidence_checkpoint WHERE cosigned_note IS NOT NULL) AND cosigned_note IS NULL LIMIT ?)`,
} as const;

type RetentionDeps = Pick<ApplianceContext, 'db' | 'log'> & { readonly clock: Pick<RelayClock, 'nowMs' | 'quality'> };

/**
 * Deletes what is old and settled, a little each minute. Evidence and what was not delivered are never touched; what a
 * guessed time could take away for good waits until the time is known.
 */
export function createRetention({ db, clock, log }: RetentionDeps): LifecyclePart {
  const limit = RETENTION.rowsPerTurn;
  const loop = createLoop({
    name: 'retention',
    log,
    pollMs: 60_000,
    turn: () =>
      withTransaction(db, () => {
        const nowMs = clock.nowMs();
        const throughId = Math.min(readCursor(db, 'evidence'), readCursor(db, 'outbox'));
        const deleted = [
          changes.prune(db, { throughId, beforeMs: nowMs - RETENTION.changesMs, limit }),
          prepared(db, RETENTION_SQL.checkpoints).run(limit).changes,
        ];
        if (clock.quality() === 'unsynced') return deleted.some((count) => count === limit);
        deleted.push(prepared(db, RETENTION_SQL.agentOrders).run(nowMs - RETENTION.ordersMs, limit).changes);
        deleted.push(outbox.pruneAside(db, nowMs - RETENTION.asideMs, limit));
        certificates.prune(db, nowMs - RETENTION.certificatesMs);
        enrollTokens.prune(db, nowMs - RETENTION.tokensMs);
        return deleted.some((count) => count === limit);
      }),
  });
  return { name: 'retention', start: loop.start, stop: loop.stop };
}
