import type { TierNumber } from '@sitewarden/agent-proto/checks';
import type { TierRules, TierSetting } from '../../lib/agent-tiers.ts';
import type { Tx } from '../types.ts';

export interface StoredGroup {
  readonly id: string;
  readonly name: string;
  /** Null: as the site. */
  readonly tier: TierNumber | null;
}

/** Ids in one statement: SQLite takes 32,766 values, PostgreSQL 65,535. */
const CHUNK = 500;

/** All that decides tiers at a site; undefined when there is no such site. Agents that were removed are left out. */
export async function readTierRules(
  trx: Tx,
  siteId: string,
): Promise<{ rules: TierRules; settings: TierSetting[]; groups: StoredGroup[] } | undefined> {
  const site = await trx.selectFrom('site').select('agent_tier').where('id', '=', siteId).executeTakeFirst();
  if (site === undefined) return undefined;
  const groups = (
    await trx
      .selectFrom('agent_group')
      .select(['id', 'name', 'tier'])
      .where('site_id', '=', siteId)
      .orderBy('name')
      .execute()
  ).map((row): StoredGroup => ({ ...row, tier: row.tier as TierNumber | null }));
  const rows = await trx
    .selectFrom('agent_setting')
    .leftJoin('agent', (join) =>
      join
        .onRef('agent.id', '=', 'agent_setting.agent_id')
        .onRef('agent.site_id', '=', 'agent_setting.site_id')
        .on('agent.state', '=', 'removed'),
    )
    .select(['agent_setting.agent_id', 'agent_setting.tier', 'agent_setting.group_id'])
    .where('agent_setting.site_id', '=', siteId)
    .where('agent.id', 'is', null)
    .orderBy('agent_setting.agent_id')
    .execute();
  const settings = rows.map((row): TierSetting => {
    return { agentId: row.agent_id, tier: row.tier as TierNumber | null, groupId: row.group_id };
  });
  const groupTiers = new Map(groups.map(({ id, tier }) => [id, tier]));
  return { rules: { siteTier: site.agent_tier as TierNumber, groupTiers }, settings, groups };
}

/** Which of these are agents of the site that were not removed. */
export async function activeAgents(trx: Tx, siteId: string, agentIds: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (let at = 0; at < agentIds.length; at += CHUNK) {
    const rows = await trx
      .selectFrom('agent')
      .select('id')
      .where('site_id', '=', siteId)
      .where('state', '=', 'active')
      .where('id', 'in', agentIds.slice(at, at + CHUNK))
      .execute();
    for (const { id } of rows) found.add(id);
  }
  return found;
}

/** Gives each agent this tier of its own, or this group; what is left out stays as it is. */
export async function putSettings(
  trx: Tx,
  { partnerId, siteId }: { partnerId: string; siteId: string },
  wish: { agentIds: readonly string[]; set: { tier: TierNumber | null } | { group_id: string | null } },
): Promise<void> {
  const { agentIds, set } = wish;
  for (let at = 0; at < agentIds.length; at += CHUNK) {
    const rows = agentIds.slice(at, at + CHUNK).map((agent_id) => {
      return { partner_id: partnerId, site_id: siteId, agent_id, tier: null, group_id: null, ...set };
    });
    await trx
      .insertInto('agent_setting')
      .values(rows)
      .onConflict((conflict) => conflict.columns(['site_id', 'agent_id']).doUpdateSet(set))
      .execute();
  }
  await dropUnset(trx, siteId);
}

/** What says neither a tier nor a group says nothing. */
async function dropUnset(trx: Tx, siteId: string): Promise<void> {
  await trx
    .deleteFrom('agent_setting')
    .where('site_id', '=', siteId)
    .where('tier', 'is', null)
    .where('group_id', 'is', null)
    .execute();
}

/** Takes all agents out of a group but those named. */
export async function keepInGroup(
  trx: Tx,
  { siteId, groupId, agentIds }: { siteId: string; groupId: string; agentIds: readonly string[] },
): Promise<void> {
  await trx
    .updateTable('agent_setting')
    .set({ group_id: null })
    .where('site_id', '=', siteId)
    .where('group_id', '=', groupId)
    .$if(agentIds.length > 0, (query) => query.where('agent_id', 'not in', [...agentIds]))
    .execute();
}

/** False when the site has a group of that name already. */
export async function insertGroup(
  trx: Tx,
  { partnerId, siteId, group, nowMs }: { partnerId: string; siteId: string; group: StoredGroup; nowMs: number },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('agent_group')
    .values({ ...group, partner_id: partnerId, site_id: siteId, created_at_ms: nowMs })
    .onConflict((conflict) => conflict.columns(['partner_id', 'site_id', 'name']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function updateGroup(
  trx: Tx,
  groupId: string,
  set: { name?: string; tier?: TierNumber | null },
): Promise<void> {
  await trx.updateTable('agent_group').set(set).where('id', '=', groupId).execute();
}

/** Its agents are in no group from here on. */
export async function deleteGroup(trx: Tx, { siteId, groupId }: { siteId: string; groupId: string }): Promise<void> {
  await keepInGroup(trx, { siteId, groupId, agentIds: [] });
  await dropUnset(trx, siteId);
  await trx.deleteFrom('agent_group').where('id', '=', groupId).execute();
}
