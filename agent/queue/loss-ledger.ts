import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { Clock } from '@sitewarden/kit/time';
import { SQL } from './sql.ts';

/**
 * Why reports were lost: the queue's caps, a report the appliance would not take, a new identity, a damaged file (which
 * counts as one, for nobody knows what it held), an appliance that was set back to an older state.
 */
export type LossReason = 'too_many' | 'too_old' | 'refused' | 're_enrolled' | 'queue_damaged' | 'appliance_set_back';

export interface Loss {
  readonly reason: LossReason;
  readonly reports: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export interface LossLedger {
  /** Part of the transaction that loses them. */
  count(reason: LossReason, reports: number): void;
  read(): Loss[];
}

export function createLossLedger(db: SqliteDatabase, clock: Clock): LossLedger {
  const insert = db.prepare(SQL.countLoss);
  const select = db.prepare<[], Loss>(
    'SELECT reason, reports, first_at_ms AS firstAtMs, last_at_ms AS lastAtMs FROM loss ORDER BY reason',
  );
  return {
    count(reason, reports) {
      if (reports > 0) insert.run({ reason, reports, nowMs: clock.nowMs() });
    },
    read: () => select.all(),
  };
}
