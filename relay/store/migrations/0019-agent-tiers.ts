import type { StoreKind } from '../types.ts';

/**
 * What staff set for single workstations and for groups of them, and what a workstation answered to an order. Kept by site
 * and not by box: they hold when the box of the site is claimed anew.
 */
export function agentTiers(kind: StoreKind): string[] {
  const int = kind === 'sqlite' ? 'INTEGER' : 'BIGINT';
  const suffix = kind === 'sqlite' ? ' STRICT' : '';
  const own = "partner_id = current_setting('sitewarden.partner_id', true)";
  const guarded = (table: string) => [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY tenant ON ${table} USING (${own}) WITH CHECK (${own})`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO sitewarden_app`,
  ];
  return [
    `CREATE TABLE agent_group (id TEXT PRIMARY KEY, partner_id TEXT NOT NULL, site_id TEXT NOT NULL, name TEXT NOT NULL,
      tier ${int}, created_at_ms ${int} NOT NULL,
      UNIQUE (partner_id, site_id, id), UNIQUE (partner_id, site_id, name),
      FOREIGN KEY (partner_id, site_id) REFERENCES site (partner_id, id))${suffix}`,
    `CREATE TABLE agent_setting (partner_id TEXT NOT NULL, site_id TEXT NOT NULL, agent_id TEXT NOT NULL,
      tier ${int}, group_id TEXT,
      PRIMARY KEY (site_id, agent_id),
      FOREIGN KEY (partner_id, site_id) REFERENCES site (partner_id, id),
      FOREIGN KEY (partner_id, site_id, group_id) REFERENCES agent_group (partner_id, site_id, id))${suffix}`,
    ...(kind === 'postgres' ? [...guarded('agent_group'), ...guarded('agent_setting')] : []),
    'ALTER TABLE site_order ADD COLUMN after_facts TEXT',
  ];
}
