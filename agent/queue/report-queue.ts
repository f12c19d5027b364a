import { Report } from '@sitewarden/agent-proto/agent';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import type { Clock } from '@sitewarden/kit/time';
import { SQL } from './sql.ts';

export interface QueueCaps {
  readonly maxRows: number;
  readonly maxAgeMs: number;
}

/** Why reports were lost. */
export type LossReason = 'too_many' | 'too_old' | 'refused' | 're_enrolled' | 'queue_damaged';

export interface Loss {
  readonly reason: LossReason;
  readonly reports: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export interface QueuedReport {
  readonly seq: number;
  /** The encoded Report. */
  readonly body: Buffer;
}

export interface ReportQueue {
  /** The highest number ever given; 0 before the first. */
  readonly lastSeq: number;
  /**
   * False until the appliance has once told where its own count stands: before that a number given here could be one
   * that a lost queue had already used, and the appliance would take the report for a duplicate.
   */
  readonly isAnchored: boolean;
  readonly depth: number;
  /** Another agent id than before starts over at 1; what waited for the old one is dropped and counted. */
  bindAgent(agentId: string): void;
  /** Takes over what the appliance has on disk, and never gives a number it has seen. */
  anchor(ackedThrough: number): void;
  /** Stores the report under the next number; returns it once it is on disk. Throws before the queue is anchored. */
  enqueue(report: Omit<Report, 'seq'>): number;
  next(afterSeq: number, limit: number): QueuedReport[];
  /** Forgets what is on the appliance's disk; numbers never given are ignored. Returns how many rows went. */
  ackThrough(seq: number): number;
  /** Drops one report that the appliance will not take, and counts it. */
  discard(seq: number): void;
  losses(): Loss[];
  countLoss(reason: LossReason, reports: number): void;
  /** Told after each commit of a new report. Returns how to stop. */
  onEnqueued(listener: () => void): () => void;
}

/** A report stamped before this came from a clock that was not set; its age says nothing. 2024-01-01. */
const CLOCK_FLOOR_MS = 1_704_067_200_000;

export function createReportQueue(db: SqliteDatabase, caps: QueueCaps, clock: Clock): ReportQueue {
  const insertReport = db.prepare(SQL.insertReport);
  const raiseLastSeq = db.prepare<[], { last_seq: number }>(SQL.raiseLastSeq);
  const nextReports = db.prepare<[{ afterSeq: number; limit: number }], QueuedReport>(SQL.nextReports);
  const deleteThrough = db.prepare(SQL.deleteThrough);
  const deleteOne = db.prepare(SQL.deleteOne);
  const deleteOldest = db.prepare(SQL.deleteOldest);
  const deleteAged = db.prepare(SQL.deleteAged);
  const countReports = db.prepare<[], { n: number }>(SQL.countReports);
  const insertLoss = db.prepare(SQL.countLoss);
  const readState = db.prepare<[], { agent_id: string; last_seq: number; anchored: number }>(
    'SELECT agent_id, last_seq, anchored FROM agent_state WHERE id = 1',
  );
  const listeners = new Set<() => void>();
  let depth = countReports.get()!.n;
  let { agent_id: agentId, last_seq: lastSeq, anchored } = readState.get()!;

  function countLoss(reason: LossReason, reports: number): void {
    if (reports > 0) insertLoss.run({ reason, reports, nowMs: clock.nowMs() });
  }

  /** Inside the transaction of the insert, so that the file never grows beyond its caps. */
  function applyCaps(rows: number): number {
    const beforeMs = clock.nowMs() - caps.maxAgeMs;
    const aged = deleteAged.run({ beforeMs, floorMs: CLOCK_FLOOR_MS }).changes;
    const excess = Math.max(0, rows - aged - caps.maxRows);
    if (excess > 0) deleteOldest.run({ count: excess });
    countLoss('too_old', aged);
    countLoss('too_many', excess);
    return aged + excess;
  }

  function enqueue(report: Omit<Report, 'seq'>): number {
    if (anchored !== 1) throw new TypeError('the queue gives no numbers before it is anchored');
    const stored = withTransaction(db, () => {
      const seq = raiseLastSeq.get()!.last_seq;
      insertReport.run({ seq, body: Report.encode({ ...report, seq }).finish(), nowMs: clock.nowMs() });
      return { seq, dropped: applyCaps(depth + 1) };
    });
    lastSeq = stored.seq;
    depth += 1 - stored.dropped;
    for (const listener of listeners) listener();
    return stored.seq;
  }

  function bindAgent(id: string): void {
    if (id === agentId) return;
    withTransaction(db, () => {
      if (agentId !== '') countLoss('re_enrolled', depth);
      db.exec('DELETE FROM report; DELETE FROM agent_order');
      db.prepare(
        `UPDATE agent_state SET agent_id = ?, last_seq = 0, anchored = 0, site_config = NULL,
         last_collected_at_ms = NULL WHERE id = 1`,
      ).run(id);
    });
    agentId = id;
    lastSeq = 0;
    anchored = 0;
    depth = 0;
  }

  function anchor(ackedThrough: number): void {
    const raised = Math.max(lastSeq, ackedThrough);
    if (anchored !== 1 || raised !== lastSeq) {
      db.prepare('UPDATE agent_state SET last_seq = ?, anchored = 1 WHERE id = 1').run(raised);
      lastSeq = raised;
      anchored = 1;
    }
    ackThrough(ackedThrough);
  }

  function ackThrough(seq: number): number {
    const { changes } = deleteThrough.run({ seq: Math.min(seq, lastSeq) });
    depth -= changes;
    return changes;
  }

  return {
    get lastSeq() {
      return lastSeq;
    },
    get isAnchored() {
      return anchored === 1;
    },
    get depth() {
      return depth;
    },
    bindAgent,
    anchor,
    enqueue,
    next: (afterSeq, limit) => nextReports.all({ afterSeq, limit }),
    ackThrough,
    discard(seq) {
      depth -= withTransaction(db, () => {
        const { changes } = deleteOne.run({ seq });
        countLoss('refused', changes);
        return changes;
      });
    },
    losses: () =>
      db
        .prepare<[], Loss>(
          'SELECT reason, reports, first_at_ms AS firstAtMs, last_at_ms AS lastAtMs FROM loss ORDER BY reason',
        )
        .all(),
    countLoss,
    onEnqueued(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
