import type { StoreKind } from '../types.ts';

/** Secrets of a site, each sealed to one box: what is kept here opens for nobody but that box. */
export function siteSecrets(kind: StoreKind): string[] {
  const int = kind === 'sqlite' ? 'INTEGER' : 'BIGINT';
  const suffix = kind === 'sqlite' ? ' STRICT' : '';
  const own = "partner_id = current_setting('sitewarden.partner_id', true)";
  return [
    `CREATE TABLE site_secret (partner_id TEXT NOT NULL, site_id TEXT NOT NULL, name TEXT NOT NULL,
      sealed_to TEXT NOT NULL, box TEXT NOT NULL, set_by TEXT NOT NULL, set_at_ms ${int} NOT NULL,
      PRIMARY KEY (site_id, name),
      FOREIGN KEY (partner_id, site_id) REFERENCES site (partner_id, id))${suffix}`,
    ...(kind === 'postgres'
      ? [
          'ALTER TABLE site_secret ENABLE ROW LEVEL SECURITY',
          'ALTER TABLE site_secret FORCE ROW LEVEL SECURITY',
          `CREATE POLICY tenant ON site_secret USING (${own}) WITH CHECK (${own})`,
          'GRANT SELECT, INSERT, UPDATE, DELETE ON site_secret TO sitewarden_app',
        ]
      : []),
  ];
}
