import { relayErrors } from '../errors.ts';
import { withinConfigRoom } from '../keys/index.ts';
import { agentTiersOf } from '../lib/agent-tiers.ts';
import type { Tx } from '../store/index.ts';
import { activeAgents, readTierRules } from '../store/repositories/agent-tiers.ts';
import { lockSite, raiseSiteConfig } from '../store/repositories/sites.ts';

/** Throws NOT_FOUND for a site this tenant does not have. */
export async function rulesAt(trx: Tx, siteId: string) {
  const read = await readTierRules(trx, siteId);
  if (read === undefined) throw relayErrors.make('NOT_FOUND');
  return read;
}

/**
 * Runs a change of what decides tiers at a site, one at a time. The box gets a new configuration only if some agent has
 * another tier by it. Throws NOT_FOUND, SITE_CONFIG_FULL and what the change throws.
 */
export async function changeTiers<T>(trx: Tx, siteId: string, change: () => Promise<T>): Promise<T> {
  if (!(await lockSite(trx, siteId))) throw relayErrors.make('NOT_FOUND');
  const wanted = async () => {
    const { settings, rules } = await rulesAt(trx, siteId);
    return JSON.stringify(agentTiersOf(settings, rules));
  };
  const before = await wanted();
  const answer = await withinConfigRoom(trx, siteId, change);
  if ((await wanted()) !== before) await raiseSiteConfig(trx, siteId);
  return answer;
}

/** Throws NOT_FOUND naming the first that is no agent of the site, or was removed. */
export async function assertAgents(
  trx: Tx,
  { siteId, agentIds, field }: { siteId: string; agentIds: readonly string[]; field?: string },
): Promise<void> {
  const found = await activeAgents(trx, siteId, agentIds);
  const missing = agentIds.findIndex((id) => !found.has(id));
  if (missing < 0) return;
  throw relayErrors.make('NOT_FOUND', {
    ...(field === undefined ? {} : { field: `${field}/${missing}` }),
    detail: 'This site has no such agent',
  });
}
