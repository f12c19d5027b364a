import type { StoreKind } from '../types.ts';

/** Wrong numbers are counted for each partner that sees a request, so that none uses up the tries of another. */
export function rearmTries(kind: StoreKind): string[] {
  const int = kind === 'sqlite' ? 'INTEGER' : 'BIGINT';
  const suffix = kind === 'sqlite' ? ' STRICT' : '';
  return [
    `CREATE TABLE rearm_try (session TEXT NOT NULL REFERENCES box_offer (id) ON DELETE CASCADE, partner_id TEXT NOT NULL,
      tries ${int} NOT NULL, PRIMARY KEY (session, partner_id))${suffix}`,
    'ALTER TABLE box_offer DROP COLUMN rearm_tries',
    ...(kind === 'postgres' ? ['GRANT SELECT, INSERT, UPDATE, DELETE ON rearm_try TO sitewarden_app'] : []),
  ];
}
