import type { TierNumber } from '@sitewarden/agent-proto/checks';
import { appendAudit } from '../audit/index.ts';
import { resolveTier, type TierSource } from '../lib/agent-tiers.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { putSettings } from '../store/repositories/agent-tiers.ts';
import { assertAgents, changeTiers, rulesAt } from './change.ts';

export interface AgentTier {
  readonly agentId: string;
  /** What the configuration says; the box may not have it yet. */
  readonly wantedTier: TierNumber;
  readonly tierFrom: TierSource;
  readonly groupId: string | null;
}

/** The tier of every agent asked for, in the same order. Throws NOT_FOUND for the site. */
export async function tiersOf(trx: Tx, siteId: string, agentIds: readonly string[]): Promise<AgentTier[]> {
  const { rules, settings } = await rulesAt(trx, siteId);
  const byAgent = new Map(settings.map((setting) => [setting.agentId, setting]));
  return agentIds.map((agentId) => {
    const setting = byAgent.get(agentId);
    const { tier, from } = resolveTier(setting, rules);
    return { agentId, wantedTier: tier, tierFrom: from, groupId: setting?.groupId ?? null };
  });
}

interface Wish {
  readonly tenant: Tenant;
  readonly siteId: string;
  readonly agentIds: readonly string[];
  /** Null: as their group or site. */
  readonly tier: TierNumber | null;
  readonly nowMs: number;
  /** Where the body holds the ids; without one they came with the address. */
  readonly field?: string;
}

/** All of them or none. Throws NOT_FOUND for the site and for an agent it does not have, SITE_CONFIG_FULL. */
export async function setAgentTiers(trx: Tx, wish: Wish): Promise<AgentTier[]> {
  const { tenant, siteId, tier, nowMs } = wish;
  const { partnerId, actor, staffId } = tenant;
  const agentIds = [...new Set(wish.agentIds)];
  await changeTiers(trx, siteId, async () => {
    await assertAgents(trx, wish);
    await putSettings(trx, { partnerId, siteId }, { agentIds, set: { tier } });
  });
  await appendAudit(trx, {
    partnerId,
    atMs: nowMs,
    actor,
    action: 'agent.tier_set',
    ref: siteId,
    detail: { tier, agents: agentIds.length, agentIds: agentIds.join(' '), staffId },
  });
  return tiersOf(trx, siteId, agentIds);
}
