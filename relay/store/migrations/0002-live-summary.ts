import type { StoreKind } from '../types.ts';

/** What a list of ten thousand sites needs of each box without reading its JSON, and of its checks without the passes. */
export function liveSummaryMigration(kind: StoreKind): string[] {
  const int = kind === 'sqlite' ? 'INTEGER' : 'BIGINT';
  return [
    `ALTER TABLE appliance_live ADD COLUMN online_since_ms ${int}`,
    `ALTER TABLE appliance_live ADD COLUMN queue_depth ${int} NOT NULL DEFAULT 0`,
    `ALTER TABLE appliance_live ADD COLUMN queue_oldest_ms ${int} NOT NULL DEFAULT 0`,
    `CREATE INDEX check_latest_not_passed ON check_latest (partner_id, site_id, status)
      WHERE status IN ('fail', 'unknown')`,
  ];
}
