import { CHECK_NAMES, type TierNumber } from '@sitewarden/agent-proto/checks';
import type { SealedSecret, SiteConfig } from '@sitewarden/agent-proto/http';

/** What the store says about a site and its appliance, in its own words. */
export interface SiteConfigSource {
  readonly appliance_id: string;
  readonly epoch: number;
  readonly dik_fingerprint: string;
  readonly site_id: string;
  readonly site_name: string;
  readonly agent_tier: number;
  readonly required_services: string;
  readonly check_interval_ms: number;
  readonly heartbeat_interval_ms: number;
  readonly config_generation: number;
  /** Agents with another tier than the site's. */
  readonly agentTiers: Readonly<Record<string, TierNumber>>;
  /** Those that this box can open. */
  readonly secrets: readonly SealedSecret[];
}

/** The configuration of one appliance at its site, ready to be signed. */
export function siteConfigOf(source: SiteConfigSource, issuedAtMs: number): SiteConfig {
  return {
    applianceId: source.appliance_id,
    siteId: source.site_id,
    siteName: source.site_name,
    epoch: source.epoch,
    generation: source.config_generation,
    dikFingerprint: source.dik_fingerprint,
    agentTier: source.agent_tier as SiteConfig['agentTier'],
    agentTiers: { ...source.agentTiers },
    checks: [...CHECK_NAMES],
    requiredServices: JSON.parse(source.required_services) as string[],
    checkIntervalMs: source.check_interval_ms,
    heartbeatIntervalMs: source.heartbeat_interval_ms,
    issuedAtMs,
    ...(source.secrets.length > 0 && { secrets: [...source.secrets] }),
  };
}
