import { arch, uptime } from 'node:os';
import type { Facts, HostInfo } from '@sitewarden/agent-proto/agent';
import { CHECK_NAMES } from '@sitewarden/agent-proto/checks';
import type { Clock } from '@sitewarden/kit/time';
import type { CheckOutcome } from '../collect/index.ts';
import type { AgentQueue, StoreHealth } from '../queue/index.ts';
import type { SiteState } from '../site/index.ts';
import type { ErrorMemory } from './error-memory.ts';
import { readRoom } from './room.ts';

export interface DiagnosticsOptions {
  readonly queue: AgentQueue;
  readonly site: Pick<SiteState, 'config'>;
  readonly health: Pick<StoreHealth, 'fault'>;
  readonly errors: Pick<ErrorMemory, 'read'>;
  readonly host: HostInfo;
  readonly dataDir: string;
  /** Lines of `unknownCheck`, from the last look. */
  unknownChecks(): readonly string[];
  readonly clock: Clock;
}

/** Facts of DIAGNOSTICS. The hostname and what the checks found are not among them. */
export function diagnose(options: DiagnosticsOptions, clockOffsetMs: number): Facts {
  const { queue, site, health, errors, host, dataDir, clock } = options;
  const { config } = site;
  const oldestAtMs = queue.reports.oldestAtMs();
  const room = readRoom(dataDir);
  return {
    agent_version: host.agentVersion,
    node_version: process.versions.node,
    os_family: host.osFamily,
    os_version: host.osVersion,
    architecture: arch(),
    uptime_s: Math.round(uptime()),
    agent_uptime_s: Math.round(process.uptime()),
    clock_offset_ms: Math.round(clockOffsetMs),
    queue_depth: queue.reports.depth,
    ...(oldestAtMs === undefined
      ? {}
      : { queue_oldest_age_s: Math.max(0, Math.round((clock.nowMs() - oldestAtMs) / 1000)) }),
    losses: queue.reports.losses().map(({ reason, reports, lastAtMs }) => `${reason} ${reports} ${timeOf(lastAtMs)}`),
    ...(room === undefined
      ? {}
      : { data_disk_total_bytes: room.totalBytes, data_disk_free_bytes: room.totalBytes - room.usedBytes }),
    ...(health.fault === undefined ? {} : { store_fault: health.fault.code }),
    errors: errors.read().map(({ code, times, lastAtMs }) => `${code} ${times} ${timeOf(lastAtMs)}`),
    tier: config.tier,
    config_generation: config.generation,
    check_interval_ms: config.checkIntervalMs,
    heartbeat_interval_ms: config.heartbeatIntervalMs,
    checks: [...config.checks],
    required_services: [...config.requiredServices],
    unknown_checks: [...options.unknownChecks()],
  };
}

/**
 * `check CODE` of a result that is unknown. The code is the first one its reason names (ENOENT), CHECK_UNKNOWN for a name
 * the agent does not have, PROBE_FAILED when looking failed otherwise, and FACTS_MISSING when what was seen says too little.
 */
export function unknownCheck({ check, facts }: Pick<CheckOutcome, 'check' | 'facts'>): string {
  if (!(CHECK_NAMES as readonly string[]).includes(check)) return `${check} CHECK_UNKNOWN`;
  const problem = facts.probe_error;
  if (typeof problem !== 'string') return `${check} FACTS_MISSING`;
  return `${check} ${/\b(?:E[A-Z]{3,}|[A-Z]+_[A-Z_]+)\b/.exec(problem)?.[0] ?? 'PROBE_FAILED'}`;
}

/** A clock that is not set gives no time that can be written. */
const timeOf = (atMs: number): string =>
  Number.isFinite(atMs) && Math.abs(atMs) < 8.64e15 ? new Date(atMs).toISOString() : '-';
