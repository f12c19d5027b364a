import type { Role } from '../../lib/roles.ts';
import { lockFor } from '../engine.ts';
import type { Tx } from '../types.ts';

export interface PersonRow {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: Role;
  /** Given sites, by id; of technicians only. */
  readonly siteIds: string[];
  /** In the order of `siteIds`. */
  readonly siteNames: string[];
  readonly hasPassword: boolean;
  readonly lastSignInAtMs: number | null;
  readonly createdAtMs: number;
  readonly disabledAtMs: number | null;
}

/** Everyone of the tenant, or one of them, by name. */
async function readPeople(trx: Tx, partnerId: string, id?: string): Promise<PersonRow[]> {
  const all = trx.selectFrom('staff').selectAll().where('partner_id', '=', partnerId);
  const rows = await (id === undefined ? all : all.where('id', '=', id)).orderBy('name').orderBy('id').execute();
  const given = trx
    .selectFrom('staff_site')
    .innerJoin('site', 'site.id', 'staff_site.site_id')
    .select(['staff_site.staff_id', 'staff_site.site_id', 'site.name'])
    .where('staff_site.partner_id', '=', partnerId);
  const sites = await (id === undefined ? given : given.where('staff_site.staff_id', '=', id))
    .orderBy('site.name')
    .orderBy('site.id')
    .execute();
  const byPerson = Map.groupBy(sites, ({ staff_id }) => staff_id);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    email: row.email,
    role: row.role as Role,
    siteIds: (byPerson.get(row.id) ?? []).map(({ site_id }) => site_id),
    siteNames: (byPerson.get(row.id) ?? []).map(({ name }) => name),
    hasPassword: row.password_hash !== null,
    lastSignInAtMs: row.last_sign_in_at_ms,
    createdAtMs: row.created_at_ms,
    disabledAtMs: row.disabled_at_ms,
  }));
}

export const listPeopleOf = (trx: Tx, partnerId: string): Promise<PersonRow[]> => readPeople(trx, partnerId);

export async function findPerson(trx: Tx, partnerId: string, id: string): Promise<PersonRow | undefined> {
  return (await readPeople(trx, partnerId, id))[0];
}

/** Who changes people of a tenant waits for others that do: two admins must not demote each other at once. */
export const lockPeople = (trx: Tx, partnerId: string): Promise<void> => lockFor(trx, `people ${partnerId}`);

export async function activeAdmins(trx: Tx, partnerId: string): Promise<{ id: string; name: string }[]> {
  return trx
    .selectFrom('staff')
    .select(['id', 'name'])
    .where('partner_id', '=', partnerId)
    .where('role', '=', 'admin')
    .where('disabled_at_ms', 'is', null)
    .orderBy('name')
    .execute();
}

/** Whether somebody is an admin who may sign in. */
export async function isActiveAdmin(trx: Tx, id: string): Promise<boolean> {
  const row = await trx
    .selectFrom('staff')
    .select('id')
    .where('id', '=', id)
    .where('role', '=', 'admin')
    .where('disabled_at_ms', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

export async function updatePerson(
  trx: Tx,
  id: string,
  change: { name?: string; role?: Role; disabledAtMs?: number | null },
): Promise<void> {
  const set = {
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.role === undefined ? {} : { role: change.role }),
    ...(change.disabledAtMs === undefined ? {} : { disabled_at_ms: change.disabledAtMs }),
  };
  if (Object.keys(set).length > 0) await trx.updateTable('staff').set(set).where('id', '=', id).execute();
}

/** Gives exactly these sites. They must exist. */
export async function replaceSites(
  trx: Tx,
  { partnerId, staffId, siteIds }: { partnerId: string; staffId: string; siteIds: readonly string[] },
): Promise<void> {
  await trx.deleteFrom('staff_site').where('staff_id', '=', staffId).execute();
  if (siteIds.length === 0) return;
  await trx
    .insertInto('staff_site')
    .values(siteIds.map((site_id) => ({ partner_id: partnerId, staff_id: staffId, site_id })))
    .execute();
}

export async function siteIdsOf(trx: Tx, staffId: string): Promise<string[]> {
  const rows = await trx.selectFrom('staff_site').select('site_id').where('staff_id', '=', staffId).execute();
  return rows.map(({ site_id }) => site_id);
}

/** Names of those of the sites that exist, by id. */
export async function siteNames(trx: Tx, siteIds: readonly string[]): Promise<Map<string, string>> {
  if (siteIds.length === 0) return new Map();
  const rows = await trx
    .selectFrom('site')
    .select(['id', 'name'])
    .where('id', 'in', [...siteIds])
    .execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export interface Credentials {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly email: string | null;
  readonly passwordHash: string | null;
}

/** Of someone who may sign in. */
export async function findCredentials(trx: Tx, id: string): Promise<Credentials | undefined> {
  const row = await trx
    .selectFrom('staff')
    .select(['id', 'name', 'role', 'email', 'password_hash'])
    .where('id', '=', id)
    .where('disabled_at_ms', 'is', null)
    .executeTakeFirst();
  return (
    row && { id: row.id, name: row.name, role: row.role as Role, email: row.email, passwordHash: row.password_hash }
  );
}

export async function setCredentials(
  trx: Tx,
  { id, email, passwordHash, nowMs }: { id: string; email: string; passwordHash: string; nowMs: number },
): Promise<void> {
  await trx
    .updateTable('staff')
    .set({ email, password_hash: passwordHash, password_changed_at_ms: nowMs })
    .where('id', '=', id)
    .execute();
}

/** Ends the sessions of a person, but for the one named. Answers how many. */
export async function endSessionsOf(trx: Tx, staffId: string, exceptHash?: string): Promise<number> {
  const own = trx.deleteFrom('staff_session').where('staff_id', '=', staffId);
  const ended = await (exceptHash === undefined ? own : own.where('token_hash', '<>', exceptHash))
    .returning('token_hash')
    .execute();
  for (const { token_hash } of ended) {
    await trx.deleteFrom('secret_directory').where('hash', '=', token_hash).execute();
  }
  return ended.length;
}

/** How the session began, and when. */
export async function sessionBeginning(
  trx: Tx,
  hash: string,
): Promise<{ beganWith: string; createdAtMs: number } | undefined> {
  const row = await trx
    .selectFrom('staff_session')
    .select(['began_with', 'created_at_ms'])
    .where('token_hash', '=', hash)
    .executeTakeFirst();
  return row && { beganWith: row.began_with, createdAtMs: row.created_at_ms };
}
