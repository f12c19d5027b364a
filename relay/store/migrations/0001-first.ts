import type { StoreKind } from '../types.ts';

/** Types of this migration's columns on each engine. */
const TYPES = {
  sqlite: { int: 'INTEGER', serial: 'INTEGER PRIMARY KEY AUTOINCREMENT', suffix: ' STRICT' },
  postgres: { int: 'BIGINT', serial: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY', suffix: '' },
} as const;

const ofSite = 'FOREIGN KEY (partner_id, site_id) REFERENCES site (partner_id, id)';
const ofAppliance = 'FOREIGN KEY (partner_id, appliance_id) REFERENCES appliance (partner_id, id)';

/** Table name to its columns and constraints, parents first. */
function tables(kind: StoreKind): Record<string, string> {
  const { int, serial } = TYPES[kind];
  return {
    tenant_directory: `partner_id TEXT PRIMARY KEY, created_at_ms ${int} NOT NULL`,
    key_directory: `fingerprint TEXT PRIMARY KEY, public_key TEXT NOT NULL, partner_id TEXT NOT NULL,
      appliance_id TEXT NOT NULL UNIQUE, revoked_at_ms ${int}`,
    secret_directory: `hash TEXT PRIMARY KEY, kind TEXT NOT NULL, partner_id TEXT NOT NULL, ref_id TEXT NOT NULL`,
    box_offer: `id TEXT PRIMARY KEY, partner_id TEXT, secret_hash TEXT UNIQUE, dik TEXT NOT NULL,
      fingerprint TEXT NOT NULL, facts TEXT NOT NULL, commitment TEXT, box_nonce TEXT, relay_nonce TEXT NOT NULL,
      number TEXT, started_at_ms ${int} NOT NULL, expires_at_ms ${int} NOT NULL`,

    partner: `id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at_ms ${int} NOT NULL`,
    client: `id TEXT PRIMARY KEY, partner_id TEXT NOT NULL REFERENCES partner (id), name TEXT NOT NULL,
      created_at_ms ${int} NOT NULL, UNIQUE (partner_id, id), UNIQUE (partner_id, name)`,
    site: `id TEXT PRIMARY KEY, partner_id TEXT NOT NULL, client_id TEXT NOT NULL, name TEXT NOT NULL,
      agent_tier ${int} NOT NULL CHECK (agent_tier BETWEEN 0 AND 2), required_services TEXT NOT NULL,
      check_interval_ms ${int} NOT NULL, heartbeat_interval_ms ${int} NOT NULL, config_generation ${int} NOT NULL,
      created_at_ms ${int} NOT NULL, UNIQUE (partner_id, id), UNIQUE (partner_id, client_id, name),
      FOREIGN KEY (partner_id, client_id) REFERENCES client (partner_id, id)`,
    staff: `id TEXT PRIMARY KEY, partner_id TEXT NOT NULL REFERENCES partner (id), name TEXT NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'readonly', 'technician')), disabled_at_ms ${int},
      created_at_ms ${int} NOT NULL, UNIQUE (partner_id, id)`,
    staff_session: `token_hash TEXT PRIMARY KEY, partner_id TEXT NOT NULL, staff_id TEXT NOT NULL,
      created_at_ms ${int} NOT NULL, last_used_at_ms ${int} NOT NULL, expires_at_ms ${int} NOT NULL,
      FOREIGN KEY (partner_id, staff_id) REFERENCES staff (partner_id, id)`,
    sign_in_link: `token_hash TEXT PRIMARY KEY, partner_id TEXT NOT NULL, staff_id TEXT NOT NULL,
      created_at_ms ${int} NOT NULL, expires_at_ms ${int} NOT NULL, used_at_ms ${int},
      FOREIGN KEY (partner_id, staff_id) REFERENCES staff (partner_id, id)`,

    provision_code: `id TEXT PRIMARY KEY, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, qr_hash TEXT NOT NULL UNIQUE,
      locator TEXT NOT NULL, typed_salt TEXT NOT NULL, typed_hash TEXT NOT NULL,
      tries_left ${int} NOT NULL CHECK (tries_left >= 0), pre_approved ${int} NOT NULL CHECK (pre_approved IN (0, 1)),
      created_by TEXT NOT NULL, created_at_ms ${int} NOT NULL, expires_at_ms ${int} NOT NULL, revoked_at_ms ${int},
      used_at_ms ${int}, used_by_fingerprint TEXT, disputed_at_ms ${int}, UNIQUE (partner_id, id), ${ofSite}`,
    appliance: `id TEXT PRIMARY KEY, partner_id TEXT NOT NULL, site_id TEXT NOT NULL,
      epoch ${int} NOT NULL CHECK (epoch >= 1), state TEXT NOT NULL CHECK (state IN ('active', 'quarantined', 'revoked')),
      dik TEXT NOT NULL, dik_fingerprint TEXT NOT NULL, evk TEXT NOT NULL, seal TEXT NOT NULL,
      site_ca_fingerprint TEXT NOT NULL, serial TEXT NOT NULL, model TEXT NOT NULL, claimed_by TEXT NOT NULL,
      claimed_at_ms ${int} NOT NULL, order_seq ${int} NOT NULL, UNIQUE (partner_id, id), ${ofSite}`,
    provision_session: `id TEXT PRIMARY KEY, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, code_id TEXT UNIQUE,
      state TEXT NOT NULL CHECK (state IN ('claimed', 'approved', 'acknowledged', 'rejected', 'expired')),
      fingerprint TEXT NOT NULL, keys TEXT NOT NULL, relay_nonce TEXT NOT NULL, number TEXT NOT NULL,
      serial TEXT NOT NULL, model TEXT NOT NULL, software_version TEXT NOT NULL, image_digest TEXT NOT NULL,
      started_at_ms ${int} NOT NULL, expires_at_ms ${int} NOT NULL, claimed_by TEXT NOT NULL,
      claimed_at_ms ${int} NOT NULL, approved_by TEXT, approved_at_ms ${int}, acknowledged_at_ms ${int},
      appliance_id TEXT, disputed_at_ms ${int}, ${ofSite}, ${ofAppliance},
      FOREIGN KEY (partner_id, code_id) REFERENCES provision_code (partner_id, id)`,
    appliance_live: `appliance_id TEXT PRIMARY KEY, partner_id TEXT NOT NULL, site_id TEXT NOT NULL,
      last_checkin_at_ms ${int} NOT NULL, counter ${int} NOT NULL, token TEXT NOT NULL, previous_token TEXT,
      previous_body_hash TEXT, boot_id TEXT NOT NULL, clock_offset_ms ${int} NOT NULL, body TEXT NOT NULL, ${ofAppliance}`,
    outbox_position: `appliance_id TEXT NOT NULL, partner_id TEXT NOT NULL, epoch ${int} NOT NULL, lane TEXT NOT NULL,
      acked_through ${int} NOT NULL, PRIMARY KEY (appliance_id, epoch, lane), ${ofAppliance}`,

    evidence_log: `appliance_id TEXT NOT NULL, partner_id TEXT NOT NULL, epoch ${int} NOT NULL,
      origin TEXT NOT NULL UNIQUE, received_size ${int} NOT NULL, frontier TEXT NOT NULL, last_leaf_hash TEXT NOT NULL,
      cosigned_size ${int} NOT NULL, cosigned_root TEXT NOT NULL, checkpoint TEXT NOT NULL, cosigned_at_ms ${int},
      fault_code TEXT, fault_message TEXT, fault_at_ms ${int}, PRIMARY KEY (appliance_id, epoch), ${ofAppliance}`,
    evidence_entry: `appliance_id TEXT NOT NULL, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, epoch ${int} NOT NULL,
      seq ${int} NOT NULL, leaf_hash TEXT NOT NULL, envelope TEXT NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL,
      outcome_code TEXT NOT NULL, outcome_text TEXT NOT NULL, target TEXT NOT NULL, incident_id TEXT,
      wall_time_ms ${int} NOT NULL, received_at_ms ${int} NOT NULL, PRIMARY KEY (appliance_id, epoch, seq), ${ofAppliance}`,
    evidence_node: `appliance_id TEXT NOT NULL, partner_id TEXT NOT NULL, epoch ${int} NOT NULL, level ${int} NOT NULL,
      idx ${int} NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (appliance_id, epoch, level, idx), ${ofAppliance}`,

    agent: `id TEXT NOT NULL, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, appliance_id TEXT NOT NULL,
      hostname TEXT NOT NULL, os_family TEXT NOT NULL, os_version TEXT NOT NULL, agent_version TEXT NOT NULL,
      tier ${int} NOT NULL, state TEXT NOT NULL, connected ${int} NOT NULL, enrolled_at_ms ${int} NOT NULL,
      last_heartbeat_at_ms ${int}, telemetry TEXT NOT NULL, received_at_ms ${int} NOT NULL,
      PRIMARY KEY (appliance_id, id), ${ofAppliance}`,
    check_latest: `appliance_id TEXT NOT NULL, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, source TEXT NOT NULL,
      check_name TEXT NOT NULL, subject TEXT NOT NULL, status TEXT NOT NULL, severity TEXT NOT NULL,
      since_ms ${int} NOT NULL, row TEXT NOT NULL, received_at_ms ${int} NOT NULL,
      PRIMARY KEY (appliance_id, source, check_name, subject), ${ofAppliance}`,
    incident: `id TEXT NOT NULL, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, appliance_id TEXT NOT NULL,
      state TEXT NOT NULL, severity TEXT NOT NULL, opened_at_ms ${int} NOT NULL, changed_at_ms ${int} NOT NULL,
      row TEXT NOT NULL, PRIMARY KEY (appliance_id, id), ${ofAppliance}`,
    action_run: `id TEXT NOT NULL, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, appliance_id TEXT NOT NULL,
      incident_id TEXT NOT NULL, state TEXT NOT NULL, started_at_ms ${int} NOT NULL, row TEXT NOT NULL,
      PRIMARY KEY (appliance_id, id), ${ofAppliance}`,
    device: `id TEXT NOT NULL, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, appliance_id TEXT NOT NULL,
      last_seen_ms ${int} NOT NULL, row TEXT NOT NULL, PRIMARY KEY (appliance_id, id), ${ofAppliance}`,
    site_order: `id TEXT PRIMARY KEY, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, appliance_id TEXT NOT NULL,
      epoch ${int} NOT NULL, seq ${int} NOT NULL, action TEXT NOT NULL, params TEXT NOT NULL, state TEXT NOT NULL,
      code TEXT, detail TEXT NOT NULL, requested_by TEXT NOT NULL, envelope TEXT NOT NULL,
      created_at_ms ${int} NOT NULL, changed_at_ms ${int} NOT NULL, expires_at_ms ${int} NOT NULL,
      UNIQUE (appliance_id, epoch, seq), ${ofAppliance}`,
    audit_event: `id ${serial}, partner_id TEXT NOT NULL REFERENCES partner (id), at_ms ${int} NOT NULL,
      actor TEXT NOT NULL, action TEXT NOT NULL, ref TEXT NOT NULL, detail TEXT NOT NULL, prev_hash TEXT NOT NULL,
      hash TEXT NOT NULL, UNIQUE (partner_id, prev_hash)`,
  };
}

const INDEXES = [
  "CREATE UNIQUE INDEX appliance_one_active ON appliance (site_id) WHERE state <> 'revoked'",
  "CREATE UNIQUE INDEX appliance_one_per_key ON appliance (dik_fingerprint) WHERE state <> 'revoked'",
  'CREATE INDEX appliance_by_site ON appliance (partner_id, site_id, claimed_at_ms)',
  'CREATE INDEX appliance_by_serial ON appliance (partner_id, serial)',
  'CREATE INDEX appliance_live_by_site ON appliance_live (partner_id, site_id)',
  'CREATE INDEX box_offer_by_expiry ON box_offer (expires_at_ms)',
  'CREATE INDEX box_offer_by_fingerprint ON box_offer (fingerprint)',
  'CREATE INDEX secret_directory_by_ref ON secret_directory (ref_id)',
  'CREATE INDEX staff_session_by_staff ON staff_session (partner_id, staff_id)',
  'CREATE INDEX staff_session_by_expiry ON staff_session (partner_id, expires_at_ms)',
  'CREATE INDEX sign_in_link_by_staff ON sign_in_link (partner_id, staff_id)',
  'CREATE INDEX provision_code_recent ON provision_code (partner_id, created_at_ms)',
  'CREATE INDEX provision_session_recent ON provision_session (partner_id, started_at_ms)',
  'CREATE INDEX provision_session_by_site ON provision_session (partner_id, site_id, claimed_at_ms)',
  'CREATE INDEX provision_session_by_appliance ON provision_session (partner_id, appliance_id)',
  'CREATE INDEX evidence_entry_by_time ON evidence_entry (partner_id, site_id, wall_time_ms)',
  'CREATE INDEX evidence_log_by_partner ON evidence_log (partner_id, appliance_id)',
  'CREATE INDEX agent_by_site ON agent (partner_id, site_id)',
  'CREATE INDEX check_latest_by_site ON check_latest (partner_id, site_id, status)',
  "CREATE INDEX incident_open ON incident (partner_id, site_id, severity) WHERE state <> 'resolved'",
  'CREATE INDEX incident_by_time ON incident (partner_id, site_id, opened_at_ms)',
  'CREATE INDEX action_run_by_incident ON action_run (appliance_id, incident_id)',
  'CREATE INDEX action_run_by_time ON action_run (partner_id, site_id, started_at_ms)',
  'CREATE INDEX device_by_site ON device (partner_id, site_id, last_seen_ms)',
  'CREATE INDEX site_order_waiting ON site_order (appliance_id, state, seq)',
  'CREATE INDEX site_order_by_time ON site_order (partner_id, site_id, created_at_ms)',
  'CREATE INDEX audit_event_by_time ON audit_event (partner_id, id)',
  'CREATE INDEX audit_event_by_ref ON audit_event (partner_id, ref)',
];

/** SQLite has no grants: an audit event stays as written because the table itself refuses. */
const SQLITE_GUARDS = ['UPDATE', 'DELETE'].map(
  (verb) => `CREATE TRIGGER audit_event_no_${verb.toLowerCase()} BEFORE ${verb} ON audit_event
    BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END`,
);

const DIRECTORY = ['tenant_directory', 'key_directory', 'secret_directory', 'box_offer'];

/**
 * Row-level security is FORCEd, so that even the owner of the tables sees one tenant only. Without a context the
 * setting is null or empty and no row has that id.
 */
function postgresGuards(names: readonly string[]): string[] {
  const role = `DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'sitewarden_app') THEN
      CREATE ROLE sitewarden_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
  END $$`;
  return [
    role,
    'REVOKE ALL ON SCHEMA public FROM PUBLIC',
    'GRANT USAGE ON SCHEMA public TO sitewarden_app',
    'GRANT SELECT ON migration TO sitewarden_app',
    ...names.flatMap((name) => {
      const verbs = name === 'audit_event' ? 'SELECT, INSERT' : 'SELECT, INSERT, UPDATE, DELETE';
      const grant = `GRANT ${verbs} ON ${name} TO sitewarden_app`;
      if (DIRECTORY.includes(name)) return [grant];
      const own = `${name === 'partner' ? 'id' : 'partner_id'} = current_setting('sitewarden.partner_id', true)`;
      return [
        `ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`,
        `ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`,
        `CREATE POLICY tenant ON ${name} USING (${own}) WITH CHECK (${own})`,
        grant,
      ];
    }),
  ];
}

/** The statements of the first migration, in order. */
export function firstMigration(kind: StoreKind): string[] {
  const all = tables(kind);
  const created = Object.entries(all).map(([name, body]) => `CREATE TABLE ${name} (${body})${TYPES[kind].suffix}`);
  return [...created, ...INDEXES, ...(kind === 'sqlite' ? SQLITE_GUARDS : postgresGuards(Object.keys(all)))];
}
