import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import { assertName } from '../lib/names.ts';
import type { Role } from '../lib/roles.ts';
import type { Tx } from '../store/index.ts';
import {
  activeAdmins,
  endSessionsOf,
  findPerson,
  lockPeople,
  type PersonRow,
  replaceSites,
  siteNames,
  updatePerson,
} from '../store/repositories/people.ts';
import { endPowersOf } from './end-powers.ts';

export interface PersonChange {
  readonly name?: string;
  readonly role?: Role;
  readonly siteIds?: readonly string[];
  readonly disabled?: boolean;
}

interface Planned {
  readonly role: Role;
  readonly siteIds: readonly string[];
  readonly isDisabled: boolean;
  /** What they may do is another than before, so what they have open ends. */
  readonly endsSessions: boolean;
}

const isSameList = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((one) => b.includes(one));

/** What a change comes to. Sites belong to technicians: another role leaves none. Pure. Throws BODY_INVALID. */
export function planChange(person: PersonRow, change: PersonChange): Planned {
  const role = change.role ?? person.role;
  assertSitesFit(role, change.siteIds ?? []);
  const siteIds = role === 'technician' ? [...new Set(change.siteIds ?? person.siteIds)] : [];
  const wasDisabled = person.disabledAtMs !== null;
  const isDisabled = change.disabled ?? wasDisabled;
  const endsSessions = role !== person.role || isDisabled !== wasDisabled || !isSameList(siteIds, person.siteIds);
  return { role, siteIds, isDisabled, endsSessions };
}

export function assertSitesFit(role: Role, siteIds: readonly string[]): void {
  if (role === 'technician' || siteIds.length === 0) return;
  throw relayErrors.make('BODY_INVALID', { field: '/siteIds', detail: 'Sites are given to technicians only' });
}

/** Throws NOT_FOUND naming the first site that this tenant does not have. */
export async function assertSites(trx: Tx, siteIds: readonly string[]): Promise<void> {
  const known = await siteNames(trx, siteIds);
  const missing = siteIds.findIndex((id) => !known.has(id));
  if (missing < 0) return;
  throw relayErrors.make('NOT_FOUND', { field: `/siteIds/${missing}`, detail: 'There is no such site' });
}

/**
 * Changes somebody, in the caller's transaction. Throws NOT_FOUND, LAST_ADMIN, BODY_INVALID. Another role, other sites
 * and disabling end that person's sessions with the commit, and who is no active admin then loses the invites they made.
 */
export async function changePerson(
  trx: Tx,
  { tenant, userId, change, nowMs }: { tenant: Tenant; userId: string; change: PersonChange; nowMs: number },
): Promise<PersonRow> {
  const { partnerId, actor } = tenant;
  await lockPeople(trx, partnerId);
  const person = await findPerson(trx, partnerId, userId);
  if (person === undefined) throw relayErrors.make('NOT_FOUND');
  if (change.name !== undefined) assertName(change.name, '/name', 'BODY_INVALID');
  const plan = planChange(person, change);
  await assertSites(trx, plan.siteIds);
  const isAdminAfter = plan.role === 'admin' && !plan.isDisabled;
  if (!isAdminAfter) await assertOtherAdmin(trx, partnerId, person);

  const wasDisabled = person.disabledAtMs !== null;
  const isSwitched = plan.isDisabled !== wasDisabled;
  await updatePerson(trx, userId, {
    ...(change.name === undefined ? {} : { name: change.name }),
    role: plan.role,
    ...(isSwitched ? { disabledAtMs: plan.isDisabled ? nowMs : null } : {}),
  });
  await replaceSites(trx, { partnerId, staffId: userId, siteIds: plan.siteIds });
  if (plan.endsSessions) await endSessionsOf(trx, userId);
  const wasAdmin = person.role === 'admin' && !wasDisabled;
  if (wasAdmin && !isAdminAfter) await endPowersOf(trx, userId, { by: tenant, nowMs });

  const audit = { partnerId, atMs: nowMs, actor, ref: userId };
  const by = { staffId: tenant.staffId };
  if (isSwitched) {
    await appendAudit(trx, { ...audit, action: plan.isDisabled ? 'staff.disabled' : 'staff.enabled', detail: by });
  }
  const after = await findPerson(trx, partnerId, userId);
  if (after === undefined) throw new TypeError('a person just changed is not there');
  const isChanged =
    after.name !== person.name || after.role !== person.role || !isSameList(after.siteIds, person.siteIds);
  if (isChanged) {
    const detail = {
      ...by,
      name: after.name,
      role: after.role,
      roleBefore: person.role,
      sites: after.siteIds.join(' '),
    };
    await appendAudit(trx, { ...audit, action: 'staff.changed', detail });
  }
  return after;
}

/** A company nobody can administer is locked out of itself. Throws LAST_ADMIN. */
async function assertOtherAdmin(trx: Tx, partnerId: string, person: PersonRow): Promise<void> {
  if (person.role !== 'admin' || person.disabledAtMs !== null) return;
  const others = (await activeAdmins(trx, partnerId)).filter(({ id }) => id !== person.id);
  if (others.length === 0) throw relayErrors.make('LAST_ADMIN');
}
