import { type AbsentRows, type Lane, OUTBOX_LIMITS, type OutboxHeader } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { evidence, outbox } from '../store/index.ts';

/** Half of what the relay takes, so that a batch is never refused for a few bytes. */
const MAX_BATCH_BYTES = 2 * 1024 * 1024;
const NEWLINE = Buffer.from('\n');

export interface Batch {
  readonly lane: Lane;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly count: number;
  readonly body: Buffer;
}

interface Row {
  readonly seq: number;
  readonly body: Uint8Array;
}

/** Rows from `fromSeq`; evidence rows are the leaves themselves, at leaf index + 1. */
function rowsFrom(db: SqliteDatabase, lane: Lane, { fromSeq, limit }: { fromSeq: number; limit: number }): Row[] {
  if (lane !== 'evidence') return outbox.batch(db, lane, { fromSeq, limit });
  return evidence.leaves(db, fromSeq - 1, limit).map(({ seq, envelope }) => ({ seq: seq + 1, body: envelope }));
}

export interface BatchWish {
  readonly lane: Lane;
  readonly epoch: number;
  readonly fromSeq: number;
  readonly maxRows: number;
  /** The relay is told that what it misses before these rows will not come. */
  readonly absent?: AbsentRows | undefined;
}

/** The next request body of a lane; undefined when nothing waits. At most `maxRows` rows and 2 MiB. */
export function nextBatch(db: SqliteDatabase, { lane, epoch, fromSeq, maxRows, absent }: BatchWish): Batch | undefined {
  const rows = rowsFrom(db, lane, { fromSeq, limit: Math.min(maxRows, OUTBOX_LIMITS.maxRows) });
  const first = rows[0];
  if (first === undefined) return undefined;
  let bytes = 0;
  let count = 0;
  for (const { seq, body } of rows) {
    // A hole would be a gap at the relay; what stands before it can still go.
    if (seq !== first.seq + count) break;
    if (count > 0 && bytes + body.length > MAX_BATCH_BYTES) break;
    bytes += body.length + 1;
    count += 1;
  }
  const header: OutboxHeader = { lane, epoch, firstSeq: first.seq, count, ...(absent && { absent }) };
  const parts: Uint8Array[] = [Buffer.from(`${JSON.stringify(header)}\n`)];
  for (const { body } of rows.slice(0, count)) parts.push(body, NEWLINE);
  return { lane, epoch, firstSeq: first.seq, count, body: Buffer.concat(parts) };
}
