import type { SqliteDatabase } from '@sitewarden/kit/sqlite';

export function up(db: SqliteDatabase): void {
  db.exec(`
    -- last_seq outlives the rows: a number is never given twice, also after everything was acknowledged.
    CREATE TABLE agent_state (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      agent_id TEXT NOT NULL,
      last_seq INTEGER NOT NULL CHECK (last_seq >= 0),
      last_collected_at_ms INTEGER,
      site_config BLOB
    ) STRICT;
    INSERT INTO agent_state (id, agent_id, last_seq) VALUES (1, '', 0);

    -- body is a Report without its number. seq is given, and committed, just before the report is first sent; rows
    -- without one may still be dropped, rows with one wait for their Ack.
    CREATE TABLE report (
      position INTEGER PRIMARY KEY AUTOINCREMENT,
      seq INTEGER UNIQUE CHECK (seq > 0),
      body BLOB NOT NULL,
      created_at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX report_by_age ON report (seq, created_at_ms);

    CREATE TABLE loss (
      reason TEXT PRIMARY KEY,
      reports INTEGER NOT NULL,
      first_at_ms INTEGER NOT NULL,
      last_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE agent_order (
      order_id TEXT PRIMARY KEY,
      action TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('started', 'done', 'failed', 'refused')),
      received_at_ms INTEGER NOT NULL,
      finished_at_ms INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX agent_order_by_end ON agent_order (finished_at_ms);

    CREATE TABLE order_receipt (
      position INTEGER PRIMARY KEY AUTOINCREMENT,
      order_id TEXT NOT NULL REFERENCES agent_order (order_id) ON DELETE CASCADE,
      body BLOB NOT NULL,
      delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered IN (0, 1))
    ) STRICT;
    CREATE INDEX order_receipt_by_order ON order_receipt (order_id, position);
    CREATE INDEX order_receipt_waiting ON order_receipt (position) WHERE delivered = 0;
  `);
}
