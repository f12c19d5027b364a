import type { StoreKind } from '../types.ts';

const TYPES = { sqlite: { int: 'INTEGER', suffix: ' STRICT' }, postgres: { int: 'BIGINT', suffix: '' } } as const;

/** As in the first migration: row-level security binds the owner of the tables too. */
function postgresGuards(): string[] {
  const own = "partner_id = current_setting('sitewarden.partner_id', true)";
  return [
    'ALTER TABLE evidence_key ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE evidence_key FORCE ROW LEVEL SECURITY',
    `CREATE POLICY tenant ON evidence_key USING (${own}) WITH CHECK (${own})`,
    'GRANT SELECT, INSERT, UPDATE, DELETE ON evidence_key TO sitewarden_app',
    // Read before it is known whose box calls, as key_directory is; it holds public keys only.
    'GRANT SELECT, INSERT, UPDATE, DELETE ON box_key TO sitewarden_app',
  ];
}

/** Device keys that are about to be used or are used no more, and the keys that followed the first one of a log. */
export function keyRotation(kind: StoreKind): string[] {
  const { int, suffix } = TYPES[kind];
  return [
    `CREATE TABLE box_key (fingerprint TEXT PRIMARY KEY, public_key TEXT NOT NULL, partner_id TEXT NOT NULL,
      appliance_id TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('next', 'retired')), at_ms ${int} NOT NULL)${suffix}`,
    "CREATE UNIQUE INDEX box_key_one_next ON box_key (appliance_id) WHERE state = 'next'",
    'CREATE INDEX box_key_by_appliance ON box_key (appliance_id)',
    `CREATE TABLE evidence_key (appliance_id TEXT NOT NULL, partner_id TEXT NOT NULL, epoch ${int} NOT NULL,
      seq ${int} NOT NULL, public_key TEXT NOT NULL, PRIMARY KEY (appliance_id, epoch, seq),
      UNIQUE (appliance_id, epoch, public_key),
      FOREIGN KEY (partner_id, appliance_id) REFERENCES appliance (partner_id, id))${suffix}`,
    ...(kind === 'postgres' ? postgresGuards() : []),
  ];
}
