import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import Database from 'better-sqlite3';
import { openStore, outbox } from '../../appliance/store/index.ts';
import type { Figure } from './benches.ts';
import { figureOf } from './lib/figures.ts';

const ROUNDS = 7;
const PAYLOAD_BYTES = 400;
/** Rows of one round by how many go into a transaction. */
const ROWS_OF_A_ROUND = { 100: 20_000, 1: 2000 } as const;
type Batch = keyof typeof ROWS_OF_A_ROUND;

/** Durable rows a second into a lane of the outbox, against better-sqlite3 alone on the same schema, sizes and batches. */
export const run = (): Promise<Figure[]> => measure('outbox-enqueue', 100);

export async function measure(name: string, batch: Batch): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-bench-'));
  const { db } = openStore(join(folder));
  const raw = rawTables(join(folder, 'raw.db'));
  try {
    outbox.openLane(db, 'telemetry', 1);
    const rows = Array.from({ length: batch }, () => ({ body: randomBytes(PAYLOAD_BYTES), createdAtMs: Date.now() }));
    const values: number[] = [];
    const controls: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const value = rowsPerS(batch, () => withTransaction(db, () => outbox.append(db, 'telemetry', rows)));
      const control = rowsPerS(batch, () => raw.append(rows));
      // The first round warms both up.
      if (round > 0) values.push(value);
      if (round > 0) controls.push(control);
    }
    const note = `${batch} rows of ${PAYLOAD_BYTES} bytes in a transaction, synchronous=FULL on both sides`;
    return [figureOf({ name, unit: 'rows/s', values, controls, note })];
  } finally {
    raw.close();
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function rowsPerS(batch: Batch, append: () => void): number {
  const count = ROWS_OF_A_ROUND[batch];
  const fromMs = performance.now();
  for (let done = 0; done < count; done += batch) append();
  return count / ((performance.now() - fromMs) / 1000);
}

/** What anybody would write who knows SQLite: prepared statements, a write-ahead log, one transaction a batch. */
function rawTables(path: string) {
  const db: SqliteDatabase = new Database(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`
    CREATE TABLE outbox_lane (lane TEXT PRIMARY KEY, epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL DEFAULT 1,
      acked_through INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
    CREATE TABLE outbox_row (lane TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,
      created_at_ms INTEGER NOT NULL, PRIMARY KEY (lane, seq)) STRICT, WITHOUT ROWID;
    INSERT INTO outbox_lane (lane, epoch) VALUES ('telemetry', 1);`);
  const take = db.prepare<[number], { nextSeq: number }>(
    "UPDATE outbox_lane SET next_seq = next_seq + ? WHERE lane = 'telemetry' RETURNING next_seq AS nextSeq",
  );
  const insert = db.prepare("INSERT INTO outbox_row (lane, seq, body, created_at_ms) VALUES ('telemetry', ?, ?, ?)");
  const append = db.transaction((rows: readonly { body: Uint8Array; createdAtMs: number }[]) => {
    let seq = take.get(rows.length)!.nextSeq - rows.length;
    for (const { body, createdAtMs } of rows) insert.run(seq++, body, createdAtMs);
  });
  return { append: (rows: Parameters<typeof append>[0]) => append.immediate(rows), close: () => db.close() };
}
