import { decodeReport } from '@sitewarden/agent-proto/agent';
import type { Database } from 'better-sqlite3';

/**
 * An index by source touched a page for each workstation in each commit, nearly two thirds of all that was written to disk.
 * What keeps a report from being stored twice is its agent's `acked_through`, moved in the same transaction. Looked for by
 * its order is only a report that answers one.
 */
export function up(db: Database): void {
  db.exec(`
    CREATE TABLE report_next (
      id INTEGER PRIMARY KEY,
      source TEXT NOT NULL, seq INTEGER NOT NULL,
      received_at_ms INTEGER NOT NULL,
      order_id TEXT,
      body BLOB NOT NULL
    ) STRICT;
    INSERT INTO report_next (id, source, seq, received_at_ms, body) SELECT id, source, seq, received_at_ms, body FROM report;
    DROP TABLE report;
    ALTER TABLE report_next RENAME TO report;
    CREATE INDEX report_by_order ON report (order_id) WHERE order_id IS NOT NULL;
    CREATE UNIQUE INDEX report_of_box ON report (seq) WHERE source = 'box';
  `);
  const setOrder = db.prepare('UPDATE report SET order_id = ? WHERE id = ?');
  const ids = db.prepare('SELECT id FROM report ORDER BY id').pluck().all() as number[];
  const body = db.prepare('SELECT body FROM report WHERE id = ?').pluck();
  for (const id of ids) {
    const orderId = orderOf(body.get(id) as Buffer);
    if (orderId !== '') setOrder.run(orderId, id);
  }
}

function orderOf(body: Buffer): string {
  try {
    return decodeReport(body).orderId;
  } catch {
    return '';
  }
}
