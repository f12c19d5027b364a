import {
  type EvidenceState,
  evidenceState,
  fleetStatus,
  type HealthVerdict,
  type Status,
  siteHealth,
} from '../fleet/index.ts';
import type { SiteFactsRow } from '../store/repositories/sites.ts';

export interface JudgedSite {
  row: SiteFactsRow;
  status: Status;
  evidence: EvidenceState;
  verdict: HealthVerdict;
}

/** The one road from a row to what is said about a site: list, detail and export take it alike. */
export function judgeSite(row: SiteFactsRow, nowMs: number): JudgedSite {
  const hasBox = row.appliance_id !== null;
  const status = fleetStatus({
    lastCheckinAtMs: row.last_checkin_at_ms,
    nowMs,
    onlineSinceMs: row.online_since_ms,
    hasBox,
  });
  const evidence = evidenceState(evidenceFacts(row), nowMs);
  const verdict = siteHealth(
    {
      status,
      appliance: hasBox
        ? { state: row.state ?? '', claimedAtMs: row.claimed_at_ms ?? 0, quarantinedAtMs: row.quarantined_at_ms }
        : null,
      incidents: {
        critical: row.critical ?? 0,
        high: row.high ?? 0,
        medium: row.medium ?? 0,
        low: row.low ?? 0,
        info: row.info ?? 0,
      },
      needsPerson: { count: row.needs_person ?? 0, oldestAtMs: row.needs_person_since },
      oldestSevereAtMs: row.severe_since,
      oldestAtMs: row.open_since,
      checks: { failing: row.failing ?? 0, unknown: row.unknown ?? 0 },
      evidence,
      queue: { depth: row.queue_depth ?? 0, oldestAgeMs: row.queue_oldest_ms ?? 0 },
    },
    nowMs,
  );
  return { row, status, evidence, verdict };
}

function evidenceFacts(row: SiteFactsRow) {
  if (row.received_size === null || row.epoch === null) return null;
  return {
    epoch: row.epoch,
    receivedSize: row.received_size,
    cosignedSize: row.cosigned_size ?? 0,
    cosignedRoot: row.cosigned_root ?? '',
    cosignedAtMs: row.cosigned_at_ms,
    fault:
      row.fault_code === null
        ? null
        : { code: row.fault_code, message: row.fault_message ?? '', atMs: row.fault_at_ms ?? 0 },
  };
}
