import { join } from 'node:path';
import Database from 'better-sqlite3';
import { RETENTION } from '../../../appliance/assess/retention.ts';

export interface JournalState {
  /** Acknowledged reports that are not there. */
  readonly lost: number;
  /** Sequence numbers that stand there more than once. */
  readonly doubled: number;
  /** `ok`, or what SQLite found. */
  readonly integrity: string;
  /** The evidence log has every number from 0 once. */
  readonly isLogWhole: boolean;
}

/** What of an agent's acknowledged reports is on disk. Below its oldest row retention has deleted, never above. */
export function readJournal(dataDir: string, agentId: string, acked: number): JournalState {
  const db = new Database(join(dataDir, 'appliance.db'));
  const one = <T>(sql: string, ...values: unknown[]) => db.prepare(sql).get(...values) as T;
  try {
    const integrity = String(db.pragma('integrity_check', { simple: true }));
    const { oldest, stored, seqs } = one<{ oldest: number | null; stored: number; seqs: number }>(
      `SELECT min(seq) AS oldest, count(DISTINCT seq) AS stored, count(*) AS seqs FROM report
        WHERE source = ? AND seq <= ?`,
      agentId,
      acked,
    );
    const { total } = one<{ total: number }>('SELECT count(*) AS total FROM report');
    const log = one<{ count: number; last: number | null }>(
      'SELECT count(*) AS count, max(seq) AS last FROM evidence_leaf',
    );
    const isPruned = oldest !== null && total >= RETENTION.reportRows;
    const expected = isPruned ? acked - oldest + 1 : acked;
    return {
      lost: expected - stored,
      doubled: seqs - stored,
      integrity,
      isLogWhole: log.count === (log.last ?? -1) + 1,
    };
  } finally {
    db.close();
  }
}
