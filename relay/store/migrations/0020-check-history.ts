import type { StoreKind } from '../types.ts';

/** When the status of a check of a workstation changed: one row a change, `status` holds from `from_ms` until the next. */
export function checkHistory(kind: StoreKind): string[] {
  const int = kind === 'sqlite' ? 'INTEGER' : 'BIGINT';
  const suffix = kind === 'sqlite' ? ' STRICT' : '';
  const own = "partner_id = current_setting('sitewarden.partner_id', true)";
  return [
    `CREATE TABLE check_history (appliance_id TEXT NOT NULL, partner_id TEXT NOT NULL, agent_id TEXT NOT NULL,
      check_name TEXT NOT NULL, subject TEXT NOT NULL, from_ms ${int} NOT NULL, status TEXT NOT NULL,
      PRIMARY KEY (appliance_id, agent_id, check_name, subject, from_ms),
      FOREIGN KEY (partner_id, appliance_id) REFERENCES appliance (partner_id, id))${suffix}`,
    'CREATE INDEX check_history_age ON check_history (partner_id, from_ms)',
    ...(kind === 'postgres'
      ? [
          'ALTER TABLE check_history ENABLE ROW LEVEL SECURITY',
          'ALTER TABLE check_history FORCE ROW LEVEL SECURITY',
          `CREATE POLICY tenant ON check_history USING (${own}) WITH CHECK (${own})`,
          'GRANT SELECT, INSERT, UPDATE, DELETE ON check_history TO sitewarden_app',
        ]
      : []),
  ];
}
