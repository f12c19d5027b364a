import type { Database } from 'better-sqlite3';

/** An order for a maintenance window waits on the box until the window begins: an agent would refuse it. */
export function up(db: Database): void {
  db.exec(`
    ALTER TABLE agent_order ADD COLUMN not_before_ms INTEGER;
    CREATE INDEX agent_order_not_before ON agent_order (not_before_ms) WHERE not_before_ms IS NOT NULL AND state = 'queued';
  `);
}
