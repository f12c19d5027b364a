import type { TierNumber } from '@sitewarden/agent-proto/checks';
import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import {
  deleteGroup,
  insertGroup,
  keepInGroup,
  putSettings,
  type StoredGroup,
  updateGroup,
} from '../store/repositories/agent-tiers.ts';
import { assertAgents, changeTiers, rulesAt } from './change.ts';

/** What one page shows and one person keeps in mind. */
const MAX_GROUPS = 100;

export interface GroupWish {
  readonly name?: string;
  /** Null: as the site. */
  readonly tier?: TierNumber | null;
  /** All its agents from here on; one that is in another group leaves that. */
  readonly agentIds?: readonly string[];
}

interface Caller {
  readonly tenant: Tenant;
  readonly siteId: string;
  readonly nowMs: number;
}

/** By name. Throws NOT_FOUND. */
export async function listGroups(trx: Tx, siteId: string, nowMs: number) {
  const { groups, settings } = await rulesAt(trx, siteId);
  const shown = groups.map((group) => ({
    ...group,
    agentIds: settings.filter(({ groupId }) => groupId === group.id).map(({ agentId }) => agentId),
  }));
  return { groups: shown, asOfMs: nowMs };
}

/** Throws NOT_FOUND, NAME_TAKEN, GROUPS_FULL, SITE_CONFIG_FULL. */
export async function createGroup(
  trx: Tx,
  { wish, ...caller }: Caller & { wish: GroupWish & { name: string } },
): Promise<void> {
  const { tenant, siteId, nowMs } = caller;
  const group: StoredGroup = { id: newId('grp'), name: wish.name, tier: wish.tier ?? null };
  await changeTiers(trx, siteId, async () => {
    const { groups } = await rulesAt(trx, siteId);
    if (groups.length >= MAX_GROUPS) throw relayErrors.make('GROUPS_FULL');
    if (!(await insertGroup(trx, { partnerId: tenant.partnerId, siteId, group, nowMs }))) throw nameTaken();
    await fill(trx, caller, { groupId: group.id, agentIds: wish.agentIds ?? [] });
  });
  await audit(trx, caller, 'agent_group.created', { groupId: group.id, ...wish });
}

/** Throws NOT_FOUND, NAME_TAKEN, SITE_CONFIG_FULL. */
export async function changeGroup(
  trx: Tx,
  { groupId, wish, ...caller }: Caller & { groupId: string; wish: GroupWish },
): Promise<void> {
  const { name, tier, agentIds } = wish;
  await changeTiers(trx, caller.siteId, async () => {
    const group = await find(trx, caller.siteId, groupId, name);
    await updateGroup(trx, groupId, { name: name ?? group.name, tier: tier === undefined ? group.tier : tier });
    if (agentIds !== undefined) await fill(trx, caller, { groupId, agentIds });
  });
  await audit(trx, caller, 'agent_group.changed', { groupId, ...wish });
}

/** Its agents follow the site again. Throws NOT_FOUND. */
export async function removeGroup(trx: Tx, { groupId, ...caller }: Caller & { groupId: string }): Promise<void> {
  const { siteId } = caller;
  const { name } = await changeTiers(trx, siteId, async () => {
    const group = await find(trx, siteId, groupId);
    await deleteGroup(trx, { siteId, groupId });
    return group;
  });
  await audit(trx, caller, 'agent_group.removed', { groupId, name });
}

async function find(trx: Tx, siteId: string, groupId: string, newName?: string): Promise<StoredGroup> {
  const { groups } = await rulesAt(trx, siteId);
  const group = groups.find(({ id }) => id === groupId);
  if (group === undefined) throw relayErrors.make('NOT_FOUND', { detail: 'This site has no such group' });
  if (groups.some(({ id, name }) => id !== groupId && name === newName)) throw nameTaken();
  return group;
}

async function fill(
  trx: Tx,
  { tenant, siteId }: Caller,
  { groupId, agentIds }: { groupId: string; agentIds: readonly string[] },
): Promise<void> {
  await assertAgents(trx, { siteId, agentIds, field: '/agentIds' });
  await keepInGroup(trx, { siteId, groupId, agentIds });
  const place = { partnerId: tenant.partnerId, siteId };
  await putSettings(trx, place, { agentIds, set: { group_id: groupId } });
}

const nameTaken = () => relayErrors.make('NAME_TAKEN', { field: '/name' });

async function audit(
  trx: Tx,
  { tenant, siteId, nowMs }: Caller,
  action: string,
  { groupId, name, tier, agentIds }: GroupWish & { groupId: string },
): Promise<void> {
  const { partnerId, actor, staffId } = tenant;
  const detail = {
    groupId,
    ...(name === undefined ? {} : { name }),
    ...(tier === undefined ? {} : { tier }),
    ...(agentIds === undefined ? {} : { agents: agentIds.length, agentIds: agentIds.join(' ') }),
    staffId,
  };
  await appendAudit(trx, { partnerId, atMs: nowMs, actor, action, ref: siteId, detail });
}
