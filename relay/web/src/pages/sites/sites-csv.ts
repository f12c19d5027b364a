import type { SiteSummary } from '../../api/types.ts';

const iso = (atMs: number | null) => (atMs === null ? '' : new Date(atMs).toISOString());

const COLUMNS: Record<string, (site: SiteSummary, asOfMs: number) => string | number> = {
  site: (site) => site.name,
  client: (site) => site.clientName,
  health: (site) => site.health,
  reason: (site) => site.reason,
  since: (site) => iso(site.sinceMs),
  next_step: (site) => site.nextStep,
  box_status: (site) => site.status.value,
  box_last_seen: (site, asOfMs) => iso(site.status.ageMs === null ? null : asOfMs - site.status.ageMs),
  incidents_critical: (site) => site.incidents.critical,
  incidents_high: (site) => site.incidents.high,
  incidents_medium: (site) => site.incidents.medium,
  incidents_low: (site) => site.incidents.low,
  incidents_info: (site) => site.incidents.info,
  agents: (site) => site.agents.total,
  agents_ok: (site) => site.agents.ok,
  queue_rows: (site) => site.queue.depth,
  queue_oldest_s: (site) => Math.round(site.queue.oldestAgeMs / 1000),
  evidence: (site) => site.evidence.mark,
  evidence_cosigned_at: (site) => iso(site.evidence.lastCosignedAtMs),
  as_of: (_site, asOfMs) => iso(asOfMs),
  site_id: (site) => site.id,
};

/** A text that a spreadsheet would take for a formula gets a leading apostrophe. */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function sitesCsv(sites: readonly SiteSummary[], asOfMs: number): string {
  const readers = Object.values(COLUMNS);
  const rows = sites.map((site) => readers.map((read) => cell(read(site, asOfMs))).join(','));
  return `${[Object.keys(COLUMNS).join(','), ...rows].join('\r\n')}\r\n`;
}
