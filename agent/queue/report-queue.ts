import { Report } from '@sitewarden/agent-proto/agent';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import type { Clock } from '@sitewarden/kit/time';
import { createLossLedger, type Loss, type LossLedger } from './loss-ledger.ts';
import { SQL } from './sql.ts';

export interface QueueCaps {
  /** At least a few times the number of reports under way. */
  readonly maxRows: number;
  readonly maxAgeMs: number;
}

export interface QueuedReport {
  readonly position: number;
  readonly report: Report;
  /** What it takes on the wire, at most. */
  readonly bytes: number;
}

export interface ReportQueue {
  /** The highest number ever given; 0 before the first. */
  readonly lastSeq: number;
  readonly depth: number;
  /** Another agent id than before starts over at 1; what waited for the old one is dropped and counted. */
  bindAgent(agentId: string): void;
  /**
   * Takes over what the appliance has on disk, at the start of a session. Numbers go on from the higher count; when the
   * appliance denies what it once acknowledged, it was set back, and the numbers go on from its own.
   */
  anchor(ackedThrough: number): 'in_step' | 'queue_was_lost' | 'appliance_was_set_back';
  /** Stores the report; it is on disk when this returns. */
  enqueue(report: Omit<Report, 'seq'>): void;
  /** Reports after a position, in order, numbered; a number is on disk before it is seen here. */
  next(afterPosition: number, limit: number): QueuedReport[];
  /** Forgets what is on the appliance's disk; numbers never given are ignored. Returns how many rows went. */
  ackThrough(seq: number): number;
  /** Drops one report that the appliance refuses, and counts it. The reports behind it move up into its number. */
  discard(seq: number): void;
  /** When the oldest report that waits was made; undefined for none, and when the clock was not set then. */
  oldestAtMs(): number | undefined;
  losses(): Loss[];
  /** Told after each commit of a new report. Returns how to stop. */
  onEnqueued(listener: () => void): () => void;
}

const NUMBERS_AHEAD = 32;
/** The number, which the stored body lacks, and the message around the report. */
const FRAME_BYTES = 16;
/** A report stamped before this came from a clock that was not set; its age says nothing. 2024-01-01. */
const CLOCK_FLOOR_MS = 1_704_067_200_000;

/**
 * Numbers must be contiguous, for the appliance takes nothing after a gap. So they are given when a report is first sent
 * and not when it is made: what the caps drop never had one.
 */
export function createReportQueue(db: SqliteDatabase, caps: QueueCaps, clock: Clock): ReportQueue {
  const insertReport = db.prepare(SQL.insertReport);
  const nextReports = db.prepare<
    [{ after: number; limit: number }],
    { position: number; seq: number | null; body: Buffer }
  >(SQL.nextReports);
  const nextUnnumbered = db.prepare<[{ limit: number }], { position: number }>(SQL.nextUnnumbered);
  const setSeq = db.prepare(SQL.setSeq);
  const setLastSeq = db.prepare(SQL.setLastSeq);
  const oldest = db.prepare<[], { atMs: number }>(SQL.oldest);
  const firstSeq = db.prepare<[], { seq: number | null }>(SQL.firstSeq);
  const deleteThrough = db.prepare(SQL.deleteThrough);
  const deleteOldest = db.prepare(SQL.deleteOldest);
  const deleteAged = db.prepare(SQL.deleteAged);
  const ledger: LossLedger = createLossLedger(db, clock);
  const listeners = new Set<() => void>();
  let depth = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM report').get()!.n;
  let { agentId, lastSeq } = db
    .prepare<[], { agentId: string; lastSeq: number }>(
      'SELECT agent_id AS agentId, last_seq AS lastSeq FROM agent_state WHERE id = 1',
    )
    .get()!;

  /** Inside the transaction of the insert, so that the file never grows beyond its caps. */
  function applyCaps(rows: number): number {
    const beforeMs = clock.nowMs() - caps.maxAgeMs;
    const aged = deleteAged.run({ beforeMs, floorMs: CLOCK_FLOOR_MS }).changes;
    const excess = Math.max(0, rows - aged - caps.maxRows);
    const dropped = excess === 0 ? 0 : deleteOldest.run({ count: excess }).changes;
    ledger.count('too_old', aged);
    ledger.count('too_many', dropped);
    return aged + dropped;
  }

  function enqueue(report: Omit<Report, 'seq'>): void {
    const body = Report.encode({ ...report, seq: 0 }).finish();
    const dropped = withTransaction(db, () => {
      insertReport.run({ body, nowMs: clock.nowMs() });
      return applyCaps(depth + 1);
    });
    depth += 1 - dropped;
    for (const listener of listeners) listener();
  }

  /** Many at a time: on a slow disk a sync for each report would hold up a long queue. */
  function giveNumbers(limit: number): void {
    lastSeq = withTransaction(db, () => {
      let seq = lastSeq;
      for (const { position } of nextUnnumbered.all({ limit: Math.max(limit, NUMBERS_AHEAD) }))
        setSeq.run({ seq: ++seq, position });
      setLastSeq.run({ lastSeq: seq });
      return seq;
    });
  }

  function next(after: number, limit: number): QueuedReport[] {
    let rows = nextReports.all({ after, limit });
    if (rows.some(({ seq }) => seq === null)) {
      giveNumbers(limit);
      rows = nextReports.all({ after, limit });
    }
    return rows.map(({ position, seq, body }) => ({
      position,
      report: { ...Report.decode(body), seq: seq! },
      bytes: body.length + FRAME_BYTES,
    }));
  }

  function bindAgent(id: string): void {
    if (id === agentId) return;
    withTransaction(db, () => {
      if (agentId !== '') ledger.count('re_enrolled', depth);
      db.exec('DELETE FROM report; DELETE FROM agent_order');
      db.prepare(
        `UPDATE agent_state SET agent_id = ?, last_seq = 0, site_config = NULL, last_collected_at_ms = NULL
         WHERE id = 1`,
      ).run(id);
    });
    agentId = id;
    lastSeq = 0;
    depth = 0;
  }

  /** Takes the numbers from `from` on back. Only for numbers that the appliance cannot have stored a report under. */
  function takeBack(from: number): void {
    db.prepare('UPDATE report SET seq = NULL WHERE seq >= ?').run(from);
    setLastSeq.run({ lastSeq: from - 1 });
    lastSeq = from - 1;
  }

  function anchor(ackedThrough: number): ReturnType<ReportQueue['anchor']> {
    if (ackedThrough > lastSeq) {
      ackThrough(lastSeq);
      setLastSeq.run({ lastSeq: ackedThrough });
      lastSeq = ackedThrough;
      return 'queue_was_lost';
    }
    ackThrough(ackedThrough);
    const expected = firstSeq.get()!.seq ?? lastSeq + 1;
    if (expected === ackedThrough + 1) return 'in_step';
    withTransaction(db, () => {
      ledger.count('appliance_set_back', expected - ackedThrough - 1);
      takeBack(ackedThrough + 1);
    });
    return 'appliance_was_set_back';
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
    get depth() {
      return depth;
    },
    bindAgent,
    anchor,
    enqueue,
    next,
    ackThrough,
    discard(seq) {
      depth -= withTransaction(db, () => {
        const { changes } = db.prepare('DELETE FROM report WHERE seq = ?').run(seq);
        ledger.count('refused', changes);
        // Nothing behind a refused report can have been stored: the appliance takes no gap.
        if (changes > 0) takeBack(seq);
        return changes;
      });
    },
    oldestAtMs() {
      const atMs = oldest.get()?.atMs;
      return atMs === undefined || atMs < CLOCK_FLOOR_MS ? undefined : atMs;
    },
    losses: ledger.read,
    onEnqueued(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
