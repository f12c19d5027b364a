import type { Database } from 'better-sqlite3';

/** Which other management tools a workstation has, as it said last; and when its site's relay was told. */
export function up(db: Database): void {
  db.exec(`
    CREATE TABLE rmm_latest (
      agent_id TEXT PRIMARY KEY,
      findings TEXT NOT NULL,
      looked_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `);
}
