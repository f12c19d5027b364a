import type { Database } from 'better-sqlite3';

/** How often an incident ended lately is asked for each result that has an open one. */
export function up(db: Database): void {
  db.exec(`
    CREATE INDEX incident_ended ON incident (source, check_name, subject, changed_at_ms) WHERE state = 'resolved';
  `);
}
