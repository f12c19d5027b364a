import type { FactPrimitive, Facts } from '../agent/facts.ts';

/**
 * What `collect_diagnostics` answers, in its receipt's `after`: these facts and no others. Numbers, versions and codes; no
 * names of people or of other machines, no paths, nothing of a user's. Agent, box and relay each hold to it.
 * count: an integer from 0. integer: any. line: a text. lines: a list of texts.
 */
export const DIAGNOSTICS = {
  agent_version: 'line',
  node_version: 'line',
  os_family: 'line',
  os_version: 'line',
  architecture: 'line',
  /** Of the machine, and of the agent's process. */
  uptime_s: 'count',
  agent_uptime_s: 'count',
  /** The box's clock minus the agent's. */
  clock_offset_ms: 'integer',
  queue_depth: 'count',
  queue_oldest_age_s: 'count',
  /** `reason reports since-last`, like `too_old 12 2026-11-22T16:00:00Z`. */
  losses: 'lines',
  data_disk_total_bytes: 'count',
  data_disk_free_bytes: 'count',
  /** Why nothing can be stored now; missing: it can. */
  store_fault: 'line',
  /** `code times last`, like `SESSION_LOST 3 2026-11-22T16:00:00Z`, since the start of the process, newest first. */
  errors: 'lines',
  tier: 'count',
  config_generation: 'count',
  check_interval_ms: 'count',
  heartbeat_interval_ms: 'count',
  checks: 'lines',
  required_services: 'lines',
  /** Of the last look: `check code`, like `bitlocker PROBE_FAILED`. */
  unknown_checks: 'lines',
} as const;

const MAX_LINE_CHARS = 80;
const MAX_LINES = 32;
/** No slash of either kind: no path is a line. */
const NOT_IN_LINES = /[^A-Za-z0-9 @._+:()-]+/g;

const lineOf = (text: string): string => text.replace(NOT_IN_LINES, '-').slice(0, MAX_LINE_CHARS);

function fitting(
  kind: (typeof DIAGNOSTICS)[keyof typeof DIAGNOSTICS],
  value: FactPrimitive,
): FactPrimitive | undefined {
  if (kind === 'line') return typeof value === 'string' ? lineOf(value) : undefined;
  if (kind === 'lines') return Array.isArray(value) ? value.slice(0, MAX_LINES).map(lineOf) : undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return undefined;
  return kind === 'integer' || value >= 0 ? value : undefined;
}

/** What `update_agent` answers before and after: from which version to which. */
export function onlyVersion({ agent_version: version }: Facts): Facts {
  return typeof version === 'string' ? { agent_version: lineOf(version) } : {};
}

/** What of it belongs to the closed set, cut to its bounds: so that all of it fits one receipt. */
export function onlyDiagnostics(facts: Facts): Facts {
  const kept: Facts = {};
  for (const [name, kind] of Object.entries(DIAGNOSTICS)) {
    const value = Object.hasOwn(facts, name) ? fitting(kind, facts[name] as FactPrimitive) : undefined;
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
