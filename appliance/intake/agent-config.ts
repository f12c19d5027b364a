import { type AgentConfig, tierToWire } from '@sitewarden/agent-proto/agent';
import { CHECK_NAMES, type TierNumber } from '@sitewarden/agent-proto/checks';
import type { SiteConfig } from '@sitewarden/agent-proto/http';

const UNCLAIMED_CHECK_INTERVAL_MS = 300_000;
const UNCLAIMED_HEARTBEAT_INTERVAL_MS = 60_000;

/** Before the box belongs to a site its agents watch with everything and change nothing. */
export function agentConfigOf(site: SiteConfig | undefined, tier: TierNumber): AgentConfig {
  return {
    generation: site?.generation ?? 0,
    tier: tierToWire(site === undefined ? 0 : tier),
    checkIntervalMs: site?.checkIntervalMs ?? UNCLAIMED_CHECK_INTERVAL_MS,
    heartbeatIntervalMs: site?.heartbeatIntervalMs ?? UNCLAIMED_HEARTBEAT_INTERVAL_MS,
    checks: [...(site?.checks ?? CHECK_NAMES)],
    requiredServices: [...(site?.requiredServices ?? [])],
  };
}

/** What the signed configuration gives this agent; MONITOR_ONLY before the claim. */
export function tierOf(site: SiteConfig | undefined, agentId: string): TierNumber {
  return site?.agentTiers[agentId] ?? site?.agentTier ?? 0;
}
