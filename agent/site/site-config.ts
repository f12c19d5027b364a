import { type AgentConfig, tierFromWire } from '@sitewarden/agent-proto/agent';
import { CHECK_NAMES, type TierNumber } from '@sitewarden/agent-proto/checks';

/** What the appliance wants of this workstation, within bounds. */
export interface SiteConfig {
  readonly generation: number;
  readonly tier: TierNumber;
  readonly checkIntervalMs: number;
  readonly heartbeatIntervalMs: number;
  /** Names as asked for, known or not. */
  readonly checks: readonly string[];
  readonly requiredServices: readonly string[];
}

export interface IntervalOverrides {
  readonly checkIntervalMs?: number;
  readonly heartbeatIntervalMs?: number;
}

/** Faster would load the workstation for nothing; slower would leave drift unseen for more than a day. */
const CHECK_INTERVAL = { minMs: 1_000, maxMs: 86_400_000, defaultMs: 900_000 };
const HEARTBEAT_INTERVAL = { minMs: 1_000, maxMs: 3_600_000, defaultMs: 60_000 };
const MAX_CHECKS = 64;
const MAX_SERVICES = 200;

/** Before the first Welcome, and for what the appliance left out: the least power, every check. */
export function toSiteConfig(wire: AgentConfig | undefined, overrides: IntervalOverrides = {}): SiteConfig {
  return {
    generation: wire?.generation ?? 0,
    tier: wire === undefined ? 0 : tierFromWire(wire.tier),
    checkIntervalMs: overrides.checkIntervalMs ?? bounded(wire?.checkIntervalMs, CHECK_INTERVAL),
    heartbeatIntervalMs: overrides.heartbeatIntervalMs ?? bounded(wire?.heartbeatIntervalMs, HEARTBEAT_INTERVAL),
    checks: wire === undefined || wire.checks.length === 0 ? CHECK_NAMES : unique(wire.checks, MAX_CHECKS),
    requiredServices: unique(wire?.requiredServices ?? [], MAX_SERVICES),
  };
}

function bounded(value: number | undefined, limits: typeof CHECK_INTERVAL): number {
  if (value === undefined || !Number.isFinite(value) || value <= 0) return limits.defaultMs;
  return Math.min(Math.max(value, limits.minMs), limits.maxMs);
}

function unique(names: readonly string[], max: number): string[] {
  return [...new Set(names.filter((name) => name !== ''))].slice(0, max);
}
