import type { TierNumber } from '@sitewarden/agent-proto/checks';

/** Where the tier of an agent comes from: the nearest one that says something. */
export type TierSource = 'agent' | 'group' | 'site';

export interface TierSetting {
  readonly agentId: string;
  /** Its own; null: none. */
  readonly tier: TierNumber | null;
  readonly groupId: string | null;
}

export interface TierRules {
  readonly siteTier: TierNumber;
  /** By group; null: as the site. */
  readonly groupTiers: ReadonlyMap<string, TierNumber | null>;
}

export interface ResolvedTier {
  readonly tier: TierNumber;
  readonly from: TierSource;
}

/** Pure: the agent's own tier goes before its group's, that before the site's. `setting` undefined: nothing was set. */
export function resolveTier(
  setting: Omit<TierSetting, 'agentId'> | undefined,
  { siteTier, groupTiers }: TierRules,
): ResolvedTier {
  const own = setting?.tier ?? null;
  if (own !== null) return { tier: own, from: 'agent' };
  const groupId = setting?.groupId ?? null;
  const ofGroup = groupId === null ? null : (groupTiers.get(groupId) ?? null);
  return ofGroup === null ? { tier: siteTier, from: 'site' } : { tier: ofGroup, from: 'group' };
}

/** For the signed configuration: only agents whose tier is not the site's, in the order of their ids. */
export function agentTiersOf(settings: readonly TierSetting[], rules: TierRules): Record<string, TierNumber> {
  const others = settings
    .map((setting) => [setting.agentId, resolveTier(setting, rules).tier] as const)
    .filter(([, tier]) => tier !== rules.siteTier)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(others);
}
