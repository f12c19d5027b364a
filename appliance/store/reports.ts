import { decodeReport as decode, type Report } from '@sitewarden/agent-proto/agent';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { BOX } from './results.ts';
import { prepared } from './statements.ts';

export interface ReportHead {
  readonly id: number;
  /** An agent's id, or BOX. */
  readonly source: string;
  readonly seq: number;
  readonly receivedAtMs: number;
}

export interface ReportRow extends ReportHead {
  /** Protobuf Report, as it came. Decode with `decodeReport`. */
  readonly body: Buffer;
}

export const REPORT_SQL = {
  insert: 'INSERT INTO report (source, seq, received_at_ms, order_id, body) VALUES (?, ?, ?, ?, ?)',
  since: 'SELECT id, source, seq, received_at_ms AS receivedAtMs, body FROM report WHERE id > ? ORDER BY id LIMIT ?',
  headsSince: 'SELECT id, source, seq, received_at_ms AS receivedAtMs FROM report WHERE id > ? ORDER BY id LIMIT ?',
  newestId: 'SELECT max(id) AS id FROM report',
  body: 'SELECT body FROM report WHERE id = ?',
  lastSeqOfBox: `SELECT max(seq) AS seq FROM report WHERE source = '${BOX}'`,
  // The newest row stays: an emptied table would hand out its ids again, below the cursor.
  prune: `DELETE FROM report WHERE id IN
    (SELECT id FROM report WHERE id <= ? AND id < (SELECT max(id) FROM report) AND received_at_ms < ? ORDER BY id LIMIT ?)`,
} as const;

export interface NewReport {
  readonly source: string;
  /** The next of its source: whoever inserts has looked, in the same transaction. */
  readonly seq: number;
  readonly receivedAtMs: number;
  /** The order it answers; none when left out or empty. */
  readonly orderId?: string;
  readonly body: Uint8Array;
}

/** Id of the new row. */
export function insert(db: SqliteDatabase, { source, seq, receivedAtMs, orderId, body }: NewReport): number {
  const statement = prepared<[string, number, number, string | null, Uint8Array]>(db, REPORT_SQL.insert);
  return Number(statement.run(source, seq, receivedAtMs, orderId || null, body).lastInsertRowid);
}

/** Oldest first. */
export function since(db: SqliteDatabase, afterId: number, limit: number): ReportRow[] {
  return prepared<[number, number], ReportRow>(db, REPORT_SQL.since).all(afterId, limit);
}

/** The same without the bodies; `reportOf` gets what is in them. What was kept fresh is not read from disk again. */
export function headsSince(db: SqliteDatabase, afterId: number, limit: number): ReportHead[] {
  const heads: ReportHead[] = [];
  const fresh = freshOf.get(db);
  if (fresh !== undefined) dropFreshThrough(fresh, afterId);
  for (let id = afterId + 1; heads.length < limit; id++) {
    const next = fresh?.reports.get(id);
    if (next === undefined) break;
    heads.push(next.head);
  }
  if (heads.length === limit) return heads;
  const read = prepared<[number, number], ReportHead>(db, REPORT_SQL.headsSince);
  return heads.concat(read.all(afterId + heads.length, limit - heads.length));
}

/** 0 when there is none. */
export function newestId(db: SqliteDatabase): number {
  return prepared<[], { id: number | null }>(db, REPORT_SQL.newestId).get()?.id ?? 0;
}

export const decodeReport = (row: Pick<ReportRow, 'body'>): Report => decode(row.body);

/** Results, not reports: a report holds up to 256 of them. */
const MAX_FRESH_RESULTS = 15_000;
/** As they came; decoded they take a few times as much. */
const MAX_FRESH_BYTES = 8 * 1024 * 1024;

interface FreshReport {
  readonly head: ReportHead;
  readonly report: Report;
  readonly bytes: number;
}

interface Fresh {
  readonly reports: Map<number, FreshReport>;
  results: number;
  bytes: number;
}

const freshOf = new WeakMap<SqliteDatabase, Fresh>();

/**
 * Keeps what intake has already decoded for the stage that reads it next; when that is far behind, what comes in is not
 * kept, since it reads the oldest first. Only for rows whose commit is on disk: until then an id may come to stand for
 * another report. The rows remain what counts.
 */
export function keepFresh(db: SqliteDatabase, one: FreshReport): void {
  const fresh = freshOf.get(db) ?? { reports: new Map(), results: 0, bytes: 0 };
  freshOf.set(db, fresh);
  const results = fresh.results + one.report.results.length;
  const bytes = fresh.bytes + one.bytes;
  if (results > MAX_FRESH_RESULTS || bytes > MAX_FRESH_BYTES) return;
  fresh.reports.set(one.head.id, one);
  fresh.results = results;
  fresh.bytes = bytes;
}

/** What the reader has passed is never asked for again. */
function dropFreshThrough(fresh: Fresh, id: number): void {
  for (const kept of fresh.reports.keys()) {
    if (kept > id) break;
    takeFresh(fresh, kept);
  }
}

function takeFresh(fresh: Fresh, id: number): Report | undefined {
  const known = fresh.reports.get(id);
  if (known === undefined) return undefined;
  fresh.reports.delete(id);
  fresh.results -= known.report.results.length;
  fresh.bytes -= known.bytes;
  return known.report;
}

/** What the row holds. Throws when it cannot be read. */
export function reportOf(db: SqliteDatabase, id: number): Report {
  const fresh = freshOf.get(db);
  const known = fresh && takeFresh(fresh, id);
  if (known !== undefined) return known;
  const row = prepared<[number], { body: Buffer }>(db, REPORT_SQL.body).get(id);
  if (row === undefined) throw new Error(`there is no report ${id}`);
  return decode(row.body);
}

/** Highest sequence number of the box's own reports still in the journal; 0 when there is none. */
export function lastSeqOfBox(db: SqliteDatabase): number {
  return prepared<[], { seq: number | null }>(db, REPORT_SQL.lastSeqOfBox).get()?.seq ?? 0;
}

export function prune(
  db: SqliteDatabase,
  { throughId, beforeMs, limit }: { throughId: number; beforeMs: number; limit: number },
) {
  return prepared<[number, number, number]>(db, REPORT_SQL.prune).run(throughId, beforeMs, limit).changes;
}
