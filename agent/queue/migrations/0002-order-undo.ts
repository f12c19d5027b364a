import type { SqliteDatabase } from '@sitewarden/kit/sqlite';

export function up(db: SqliteDatabase): void {
  db.exec(`
    -- What was there before an order changed it, written before the change. body is JSON.
    CREATE TABLE order_undo (
      position INTEGER PRIMARY KEY AUTOINCREMENT,
      order_id TEXT NOT NULL UNIQUE REFERENCES agent_order (order_id) ON DELETE CASCADE,
      body TEXT NOT NULL
    ) STRICT;
  `);
}
