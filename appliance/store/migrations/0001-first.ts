import type { Database } from 'better-sqlite3';

/**
 * Stages hand over rows: report -> (assess) -> result, incident, change -> (healing) -> action_run, agent_order, change ->
 * (evidence) -> evidence_leaf -> (outbox) -> outbox_row. Each stage keeps its position in stage_cursor and moves it in the
 * same transaction as its effects, so a kill between any two stages repeats nothing and skips nothing.
 * `source` is an agent's id, or 'box' for the appliance itself. Times are Unix milliseconds of the box's clock.
 */
export function up(db: Database): void {
  db.exec(`
    CREATE TABLE agent (
      id TEXT PRIMARY KEY,
      hostname TEXT NOT NULL, os_family TEXT NOT NULL, os_version TEXT NOT NULL, agent_version TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('active', 'removed')),
      tier INTEGER NOT NULL DEFAULT 0 CHECK (tier IN (0, 1, 2)),
      enrolled_at_ms INTEGER NOT NULL,
      connected INTEGER NOT NULL DEFAULT 0,
      last_heartbeat_at_ms INTEGER,
      acked_through INTEGER NOT NULL DEFAULT 0,
      telemetry TEXT NOT NULL DEFAULT '{}',
      changed_at_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE agent_certificate (
      serial TEXT PRIMARY KEY,
      agent_id TEXT NOT NULL REFERENCES agent (id),
      not_after_ms INTEGER NOT NULL,
      revoked_at_ms INTEGER
    ) STRICT;
    CREATE INDEX agent_certificate_by_agent ON agent_certificate (agent_id);

    CREATE TABLE enroll_token (
      token_hash BLOB PRIMARY KEY,
      created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL,
      used_at_ms INTEGER, agent_id TEXT
    ) STRICT;

    -- The intake journal: a row is what was acknowledged. Body: protobuf Report.
    CREATE TABLE report (
      id INTEGER PRIMARY KEY,
      source TEXT NOT NULL, seq INTEGER NOT NULL,
      received_at_ms INTEGER NOT NULL,
      body BLOB NOT NULL,
      UNIQUE (source, seq)
    ) STRICT;

    CREATE TABLE stage_cursor (stage TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;

    CREATE TABLE result_latest (
      source TEXT NOT NULL, check_name TEXT NOT NULL, subject TEXT NOT NULL,
      status TEXT NOT NULL, severity TEXT NOT NULL, controls TEXT NOT NULL,
      expected TEXT NOT NULL, actual TEXT NOT NULL, reason TEXT NOT NULL, facts TEXT NOT NULL,
      collected_at_ms INTEGER NOT NULL, received_at_ms INTEGER NOT NULL, since_ms INTEGER NOT NULL,
      report_id INTEGER NOT NULL,
      PRIMARY KEY (source, check_name, subject)
    ) STRICT, WITHOUT ROWID;

    -- One row for each run of equal results; last_received_at_ms moves while nothing changes.
    CREATE TABLE result_history (
      id INTEGER PRIMARY KEY,
      source TEXT NOT NULL, check_name TEXT NOT NULL, subject TEXT NOT NULL,
      status TEXT NOT NULL, severity TEXT NOT NULL, actual TEXT NOT NULL, reason TEXT NOT NULL, facts TEXT NOT NULL,
      first_received_at_ms INTEGER NOT NULL, last_received_at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX result_history_by_subject ON result_history (source, check_name, subject, id);

    CREATE TABLE incident (
      id TEXT PRIMARY KEY,
      source TEXT NOT NULL, host TEXT NOT NULL, check_name TEXT NOT NULL, subject TEXT NOT NULL,
      severity TEXT NOT NULL, title TEXT NOT NULL, reason TEXT NOT NULL, next_step TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('open', 'healing', 'needs_person', 'resolved')),
      rule_id TEXT, controls TEXT NOT NULL, facts TEXT NOT NULL,
      opened_at_ms INTEGER NOT NULL, changed_at_ms INTEGER NOT NULL, resolved_at_ms INTEGER,
      evidence_seq INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX incident_one_open ON incident (source, check_name, subject) WHERE state <> 'resolved';

    CREATE TABLE action_run (
      id TEXT PRIMARY KEY,
      incident_id TEXT NOT NULL REFERENCES incident (id),
      source TEXT NOT NULL, action TEXT NOT NULL, params TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('started', 'done', 'failed', 'refused', 'indeterminate', 'verified', 'not_verified')),
      code TEXT, outcome TEXT NOT NULL,
      rule_id TEXT NOT NULL, rule_version INTEGER NOT NULL, rule_digest TEXT NOT NULL,
      started_at_ms INTEGER NOT NULL, finished_at_ms INTEGER, verify_by_ms INTEGER,
      before TEXT NOT NULL DEFAULT '{}', after TEXT NOT NULL DEFAULT '{}',
      evidence_seq INTEGER
    ) STRICT;
    CREATE INDEX action_run_by_incident ON action_run (incident_id);
    CREATE INDEX action_run_by_target ON action_run (source, action, started_at_ms);

    -- Orders to an agent over its session; created by healing or by a relay order. state as ORDER/1.
    CREATE TABLE agent_order (
      id TEXT PRIMARY KEY,
      agent_id TEXT NOT NULL REFERENCES agent (id),
      action TEXT NOT NULL, params TEXT NOT NULL,
      action_run_id TEXT, relay_order_id TEXT,
      requested_by TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'delivered', 'started', 'done', 'failed', 'refused', 'expired', 'indeterminate')),
      code TEXT, detail TEXT, before TEXT, after TEXT, changed_at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX agent_order_open ON agent_order (agent_id, state, created_at_ms, id);

    -- What happened, in order: read by the evidence stage and by the outbox stage. Body: JSON, see store/changes.ts.
    CREATE TABLE change (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL, ref_id TEXT NOT NULL, body TEXT NOT NULL, at_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE evidence_leaf (
      seq INTEGER PRIMARY KEY,
      kind TEXT NOT NULL, envelope BLOB NOT NULL, leaf_hash BLOB NOT NULL, prev BLOB NOT NULL,
      at_ms INTEGER NOT NULL
    ) STRICT;
    -- The store itself refuses a fork: one entry at each place, and each after the very entry before it. That makes prev
    -- unique too, without an index whose random pages would be half of what an append writes.
    CREATE TRIGGER evidence_leaf_follows BEFORE INSERT ON evidence_leaf
    WHEN NEW.prev IS NOT CASE NEW.seq WHEN 0 THEN x'' ELSE (SELECT leaf_hash FROM evidence_leaf WHERE seq = NEW.seq - 1) END
    BEGIN SELECT raise(ABORT, 'an entry must follow the entry before it'); END;
    CREATE TABLE evidence_node (level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;
    CREATE TABLE evidence_checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL, cosigned_note TEXT, at_ms INTEGER NOT NULL) STRICT;

    CREATE TABLE outbox_lane (
      lane TEXT PRIMARY KEY, epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL DEFAULT 1, acked_through INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    -- Lanes receipts, incidents, telemetry. The evidence lane is read from evidence_leaf (seq + 1), not copied.
    CREATE TABLE outbox_row (
      lane TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, created_at_ms INTEGER NOT NULL,
      PRIMARY KEY (lane, seq)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE relay_order (
      order_id TEXT PRIMARY KEY, seq INTEGER NOT NULL UNIQUE,
      action TEXT NOT NULL, params TEXT NOT NULL, requested_by TEXT NOT NULL, expires_at_ms INTEGER NOT NULL,
      state TEXT NOT NULL, code TEXT, detail TEXT NOT NULL DEFAULT '',
      received_at_ms INTEGER NOT NULL, changed_at_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE device (
      id TEXT PRIMARY KEY,
      network TEXT NOT NULL, mac TEXT, addresses TEXT NOT NULL, name TEXT, services TEXT NOT NULL, probes TEXT NOT NULL,
      first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX device_by_mac ON device (network, mac) WHERE mac IS NOT NULL;

    -- One row each, JSON: claim, site_config, relay_keys.
    CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL, changed_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `);
}
