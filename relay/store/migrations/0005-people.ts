import type { StoreKind } from '../types.ts';

const TYPES = { sqlite: { int: 'INTEGER', suffix: ' STRICT' }, postgres: { int: 'BIGINT', suffix: '' } } as const;

/** Tables of tenants that this migration adds, parents first. */
function tenantTables(kind: StoreKind): Record<string, string> {
  const { int } = TYPES[kind];
  return {
    staff_site: `partner_id TEXT NOT NULL, staff_id TEXT NOT NULL, site_id TEXT NOT NULL,
      PRIMARY KEY (partner_id, staff_id, site_id),
      FOREIGN KEY (partner_id, staff_id) REFERENCES staff (partner_id, id),
      FOREIGN KEY (partner_id, site_id) REFERENCES site (partner_id, id)`,
    staff_invite: `id TEXT PRIMARY KEY, partner_id TEXT NOT NULL REFERENCES partner (id), email TEXT NOT NULL,
      name TEXT NOT NULL, role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'readonly', 'technician')),
      site_ids TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE, created_by TEXT NOT NULL, created_at_ms ${int} NOT NULL,
      expires_at_ms ${int} NOT NULL, accepted_at_ms ${int}, revoked_at_ms ${int}, UNIQUE (partner_id, id)`,
  };
}

/** As in the first migration: row-level security binds the owner of the tables too. */
function postgresGuards(names: readonly string[]): string[] {
  const own = "partner_id = current_setting('sitewarden.partner_id', true)";
  return [
    ...names.flatMap((name) => [
      `ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`,
      `ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`,
      `CREATE POLICY tenant ON ${name} USING (${own}) WITH CHECK (${own})`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO sitewarden_app`,
    ]),
    // Counted before anybody knows whose account it is, so it belongs to no tenant; its keys are hashes.
    'GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_failure TO sitewarden_app',
  ];
}

/** E-mail and password of people, sites of technicians, invites, and what failed sign-ins have used up. */
export function peopleMigration(kind: StoreKind): string[] {
  const { int, suffix } = TYPES[kind];
  const tables = tenantTables(kind);
  return [
    'ALTER TABLE staff ADD COLUMN email TEXT',
    'ALTER TABLE staff ADD COLUMN password_hash TEXT',
    `ALTER TABLE staff ADD COLUMN password_changed_at_ms ${int}`,
    `ALTER TABLE staff ADD COLUMN last_sign_in_at_ms ${int}`,
    "ALTER TABLE staff_session ADD COLUMN began_with TEXT NOT NULL DEFAULT 'link'",
    'CREATE UNIQUE INDEX staff_by_email ON staff (partner_id, email) WHERE email IS NOT NULL',
    ...Object.entries(tables).map(([name, body]) => `CREATE TABLE ${name} (${body})${suffix}`),
    `CREATE TABLE sign_in_failure (key TEXT PRIMARY KEY, drained_at_ms ${int} NOT NULL, last_at_ms ${int} NOT NULL,
      known_until_ms ${int} NOT NULL)${suffix}`,
    'CREATE INDEX staff_site_by_site ON staff_site (partner_id, site_id)',
    'CREATE INDEX staff_invite_recent ON staff_invite (partner_id, created_at_ms)',
    'CREATE INDEX sign_in_failure_by_end ON sign_in_failure (drained_at_ms)',
    ...(kind === 'postgres' ? postgresGuards(Object.keys(tables)) : []),
  ];
}
