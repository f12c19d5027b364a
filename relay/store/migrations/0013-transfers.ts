import type { StoreKind } from '../types.ts';

const TYPES = { sqlite: { int: 'INTEGER', suffix: ' STRICT' }, postgres: { int: 'BIGINT', suffix: '' } } as const;

/** Boxes that closed the log of one site and are on their way to another; and where the log of an appliance goes on from. */
export function transfers(kind: StoreKind): string[] {
  const { int, suffix } = TYPES[kind];
  return [
    `CREATE TABLE box_arrival (fingerprint TEXT PRIMARY KEY, partner_id TEXT NOT NULL, site_id TEXT NOT NULL,
      from_appliance TEXT, from_site_name TEXT, serial TEXT NOT NULL, ordered_by TEXT NOT NULL,
      at_ms ${int} NOT NULL)${suffix}`,
    'CREATE INDEX box_arrival_by_site ON box_arrival (site_id)',
    'ALTER TABLE appliance ADD COLUMN moved_from TEXT',
    // Read before it is known whose box calls, as key_directory is.
    ...(kind === 'postgres' ? ['GRANT SELECT, INSERT, UPDATE, DELETE ON box_arrival TO sitewarden_app'] : []),
  ];
}
