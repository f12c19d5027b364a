import type { Database } from 'better-sqlite3';

/** The loss ledger in numbers, and rows the relay would not take: they are kept a while for whoever looks into it. */
export function up(db: Database): void {
  db.exec(`
    CREATE TABLE loss (
      what TEXT NOT NULL, code TEXT NOT NULL, events INTEGER NOT NULL, row_count INTEGER NOT NULL,
      first_at_ms INTEGER NOT NULL, last_at_ms INTEGER NOT NULL,
      PRIMARY KEY (what, code)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE outbox_aside (
      lane TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL, aside_at_ms INTEGER NOT NULL,
      PRIMARY KEY (lane, seq)
    ) STRICT, WITHOUT ROWID;
  `);
}
