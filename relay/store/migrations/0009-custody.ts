import type { StoreKind } from '../types.ts';

const ofSite = 'FOREIGN KEY (partner_id, site_id) REFERENCES site (partner_id, id)';
const ofAppliance = 'FOREIGN KEY (partner_id, appliance_id) REFERENCES appliance (partner_id, id)';

function tenantTables(int: string): Record<string, string> {
  return {
    box_release: `id TEXT PRIMARY KEY, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, appliance_id TEXT NOT NULL,
      epoch ${int} NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('ordered', 'delivered', 'closed', 'withdrawn', 'overtaken')),
      reason TEXT NOT NULL, ordered_by TEXT NOT NULL, ordered_at_ms ${int} NOT NULL, delivered_at_ms ${int},
      ended_at_ms ${int}, envelope TEXT NOT NULL, UNIQUE (partner_id, id), ${ofSite}, ${ofAppliance}`,
    custody_receipt: `id TEXT PRIMARY KEY, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, appliance_id TEXT NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('released', 'removed', 'rearmed', 'received')), at_ms ${int} NOT NULL,
      envelope TEXT NOT NULL, relay_keys TEXT NOT NULL, UNIQUE (partner_id, id), ${ofSite}, ${ofAppliance}`,
    box_sighting: `appliance_id TEXT NOT NULL, partner_id TEXT NOT NULL, boot_id TEXT NOT NULL, address TEXT NOT NULL,
      first_seen_ms ${int} NOT NULL, last_seen_ms ${int} NOT NULL, body TEXT NOT NULL,
      PRIMARY KEY (appliance_id, boot_id, address), ${ofAppliance}`,
    availability: `appliance_id TEXT NOT NULL, partner_id TEXT NOT NULL, site_id TEXT NOT NULL,
      span TEXT NOT NULL CHECK (span IN ('hour', 'day')), from_ms ${int} NOT NULL, seen_ms ${int} NOT NULL,
      PRIMARY KEY (appliance_id, span, from_ms), ${ofAppliance}`,
    availability_cursor: `partner_id TEXT PRIMARY KEY REFERENCES partner (id), since_ms ${int} NOT NULL,
      through_ms ${int} NOT NULL`,
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
    // Read before anybody knows whose the key was.
    'GRANT SELECT, INSERT, UPDATE, DELETE ON retired_key TO sitewarden_app',
  ];
}

/**
 * Releases, receipts, why a key is not welcome any more, boxes that ask to be re-armed; what was seen of two boxes with
 * one identity; and for how long of each hour and day a box was heard.
 */
export function custodyMigration(kind: StoreKind): string[] {
  const int = kind === 'sqlite' ? 'INTEGER' : 'BIGINT';
  const suffix = kind === 'sqlite' ? ' STRICT' : '';
  const tables = tenantTables(int);
  return [
    ...Object.entries(tables).map(([name, body]) => `CREATE TABLE ${name} (${body})${suffix}`),
    `CREATE TABLE retired_key (fingerprint TEXT PRIMARY KEY, why TEXT NOT NULL
      CHECK (why IN ('released', 'replaced', 'rearmed', 'removed')), at_ms ${int} NOT NULL)${suffix}`,
    'ALTER TABLE appliance ADD COLUMN release_id TEXT',
    `ALTER TABLE appliance ADD COLUMN quarantined_at_ms ${int}`,
    'ALTER TABLE appliance ADD COLUMN genuine_boot_id TEXT',
    `ALTER TABLE appliance ADD COLUMN genuine_until_ms ${int}`,
    `ALTER TABLE box_offer ADD COLUMN serial TEXT NOT NULL DEFAULT ''`,
    `ALTER TABLE box_offer ADD COLUMN rearm_tries ${int} NOT NULL DEFAULT 0`,
    'CREATE INDEX box_offer_by_serial ON box_offer (serial) WHERE partner_id IS NULL',
    'CREATE INDEX retired_key_by_time ON retired_key (at_ms)',
    "CREATE UNIQUE INDEX box_release_one_open ON box_release (appliance_id) WHERE state IN ('ordered', 'delivered')",
    'CREATE INDEX box_release_by_site ON box_release (partner_id, site_id, ordered_at_ms)',
    'CREATE INDEX availability_by_site ON availability (partner_id, site_id, span, from_ms)',
    'CREATE INDEX availability_by_time ON availability (partner_id, span, from_ms)',
    'CREATE INDEX custody_receipt_by_site ON custody_receipt (partner_id, site_id, at_ms)',
    ...(kind === 'postgres' ? postgresGuards(Object.keys(tables)) : []),
  ];
}
