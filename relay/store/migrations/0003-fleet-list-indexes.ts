/**
 * The tenant filter stands in every query, so an index that begins with partner_id wins over a better one without it:
 * the list of ten thousand sites read ten former boxes of each. The other two are in the order the list groups by and
 * hold all it reads, or years of resolved incidents would be read for the few that are open.
 */
export function fleetListIndexes(): string[] {
  return [
    'DROP INDEX appliance_one_active',
    "CREATE UNIQUE INDEX appliance_one_active ON appliance (partner_id, site_id) WHERE state <> 'revoked'",
    'DROP INDEX evidence_log_by_partner',
    'DROP INDEX incident_open',
    `CREATE INDEX incident_open ON incident (partner_id, appliance_id, severity, state, opened_at_ms, changed_at_ms)
      WHERE state <> 'resolved'`,
    'DROP INDEX check_latest_not_passed',
    `CREATE INDEX check_latest_not_passed ON check_latest (partner_id, appliance_id, source, status)
      WHERE status IN ('fail', 'unknown')`,
  ];
}
