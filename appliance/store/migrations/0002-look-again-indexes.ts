import type { Database } from 'better-sqlite3';

/** Healing and the local page look at the same few rows every second, while finished ones pile up over the years. */
export function up(db: Database): void {
  db.exec(`
    CREATE INDEX action_run_active ON action_run (started_at_ms, id) WHERE state IN ('started', 'done');
    CREATE INDEX action_run_recent ON action_run (started_at_ms DESC, id);
    CREATE INDEX incident_resolved ON incident (resolved_at_ms DESC, id) WHERE state = 'resolved';
    CREATE INDEX agent_order_by_run ON agent_order (action_run_id, created_at_ms, id) WHERE action_run_id IS NOT NULL;
  `);
}
