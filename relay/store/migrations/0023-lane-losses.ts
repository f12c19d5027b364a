import type { StoreKind } from '../types.ts';

/**
 * Rows of a lane that will not come: `refused` of them this relay would not take, the others it had acknowledged before a
 * backup of it was put back.
 */
export function laneLosses(kind: StoreKind): string[] {
  const int = kind === 'sqlite' ? 'INTEGER' : 'BIGINT';
  const suffix = kind === 'sqlite' ? ' STRICT' : '';
  const own = "partner_id = current_setting('sitewarden.partner_id', true)";
  return [
    `CREATE TABLE lane_loss (appliance_id TEXT NOT NULL, partner_id TEXT NOT NULL, site_id TEXT NOT NULL,
      epoch INTEGER NOT NULL, lane TEXT NOT NULL, from_seq ${int} NOT NULL, row_count ${int} NOT NULL,
      refused ${int} NOT NULL, at_ms ${int} NOT NULL,
      PRIMARY KEY (appliance_id, epoch, lane, from_seq),
      FOREIGN KEY (partner_id, appliance_id) REFERENCES appliance (partner_id, id))${suffix}`,
    'CREATE INDEX lane_loss_site ON lane_loss (site_id, at_ms)',
    ...(kind === 'postgres'
      ? [
          'ALTER TABLE lane_loss ENABLE ROW LEVEL SECURITY',
          'ALTER TABLE lane_loss FORCE ROW LEVEL SECURITY',
          `CREATE POLICY tenant ON lane_loss USING (${own}) WITH CHECK (${own})`,
          'GRANT SELECT, INSERT, UPDATE, DELETE ON lane_loss TO sitewarden_app',
        ]
      : []),
  ];
}
