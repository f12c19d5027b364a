import type { Role } from '../../lib/roles.ts';
import type { Tx } from '../types.ts';

export interface Staff {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
}

export async function insertPartner(
  trx: Tx,
  { partnerId, name, nowMs }: { partnerId: string; name: string; nowMs: number },
): Promise<void> {
  await trx.insertInto('partner').values({ id: partnerId, name, created_at_ms: nowMs }).execute();
  await trx.insertInto('tenant_directory').values({ partner_id: partnerId, created_at_ms: nowMs }).execute();
}

export async function partnerName(trx: Tx, partnerId: string): Promise<string | undefined> {
  const row = await trx.selectFrom('partner').select('name').where('id', '=', partnerId).executeTakeFirst();
  return row?.name;
}

export async function insertStaff(trx: Tx, partnerId: string, staff: Staff & { nowMs: number }): Promise<void> {
  const { id, name, role, nowMs } = staff;
  await trx
    .insertInto('staff')
    .values({ id, partner_id: partnerId, name, role, disabled_at_ms: null, created_at_ms: nowMs })
    .execute();
}

/** Someone of that name and role who may still sign in. */
export async function findStaff(
  trx: Tx,
  partnerId: string,
  { name, role }: { name: string; role: Role },
): Promise<Staff | undefined> {
  const row = await trx
    .selectFrom('staff')
    .select('id')
    .where('partner_id', '=', partnerId)
    .where('name', '=', name)
    .where('role', '=', role)
    .where('disabled_at_ms', 'is', null)
    .orderBy('created_at_ms')
    .executeTakeFirst();
  return row && { id: row.id, name, role };
}

export interface Person extends Staff {
  readonly disabledAtMs: number | null;
}

export async function listStaff(trx: Tx, partnerId: string): Promise<Person[]> {
  const rows = await trx
    .selectFrom('staff')
    .select(['id', 'name', 'role', 'disabled_at_ms'])
    .where('partner_id', '=', partnerId)
    .orderBy('name')
    .orderBy('id')
    .execute();
  return rows.map(({ id, name, role, disabled_at_ms }) => ({
    id,
    name,
    role: role as Role,
    disabledAtMs: disabled_at_ms,
  }));
}

export async function insertLink(
  trx: Tx,
  link: { hash: string; partnerId: string; staffId: string; nowMs: number; expiresAtMs: number },
): Promise<void> {
  await trx
    .insertInto('sign_in_link')
    .values({
      token_hash: link.hash,
      partner_id: link.partnerId,
      staff_id: link.staffId,
      created_at_ms: link.nowMs,
      expires_at_ms: link.expiresAtMs,
      used_at_ms: null,
    })
    .execute();
}

/** Uses a link up. One caller gets its person; a second, a late or a disabled one gets undefined. */
export async function useLink(trx: Tx, hash: string, nowMs: number): Promise<Staff | undefined> {
  const used = await trx
    .updateTable('sign_in_link')
    .set({ used_at_ms: nowMs })
    .where('token_hash', '=', hash)
    .where('used_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .returning('staff_id')
    .executeTakeFirst();
  if (used === undefined) return undefined;
  const row = await trx
    .selectFrom('staff')
    .select(['id', 'name', 'role'])
    .where('id', '=', used.staff_id)
    .where('disabled_at_ms', 'is', null)
    .executeTakeFirst();
  return row && { ...row, role: row.role as Role };
}

export interface SessionRow {
  readonly staffId: string;
  readonly name: string;
  readonly role: Role;
  readonly lastUsedAtMs: number;
  readonly expiresAtMs: number;
}

export async function insertSession(
  trx: Tx,
  session: {
    hash: string;
    partnerId: string;
    staffId: string;
    nowMs: number;
    expiresAtMs: number;
    beganWith: string;
  },
): Promise<void> {
  await trx
    .insertInto('staff_session')
    .values({
      token_hash: session.hash,
      partner_id: session.partnerId,
      staff_id: session.staffId,
      created_at_ms: session.nowMs,
      last_used_at_ms: session.nowMs,
      expires_at_ms: session.expiresAtMs,
      began_with: session.beganWith,
    })
    .execute();
}

export async function noteSignIn(trx: Tx, staffId: string, nowMs: number): Promise<void> {
  await trx.updateTable('staff').set({ last_sign_in_at_ms: nowMs }).where('id', '=', staffId).execute();
}

/** Hot: once a request of staff. The session, unless its person was disabled. */
export async function findSession(trx: Tx, hash: string): Promise<SessionRow | undefined> {
  const row = await trx
    .selectFrom('staff_session')
    .innerJoin('staff', 'staff.id', 'staff_session.staff_id')
    .select([
      'staff.id as staff_id',
      'staff.name',
      'staff.role',
      'staff_session.last_used_at_ms',
      'staff_session.expires_at_ms',
    ])
    .where('staff_session.token_hash', '=', hash)
    .where('staff.disabled_at_ms', 'is', null)
    .executeTakeFirst();
  return (
    row && {
      staffId: row.staff_id,
      name: row.name,
      role: row.role as Role,
      lastUsedAtMs: row.last_used_at_ms,
      expiresAtMs: row.expires_at_ms,
    }
  );
}

export async function touchSession(trx: Tx, hash: string, nowMs: number): Promise<void> {
  await trx.updateTable('staff_session').set({ last_used_at_ms: nowMs }).where('token_hash', '=', hash).execute();
}

export async function deleteSession(trx: Tx, hash: string): Promise<boolean> {
  const result = await trx.deleteFrom('staff_session').where('token_hash', '=', hash).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** From now on this person cannot sign in. False when there is no such person. Their sessions are ended by the caller. */
export async function disableStaff(trx: Tx, staffId: string, nowMs: number): Promise<boolean> {
  const result = await trx
    .updateTable('staff')
    .set({ disabled_at_ms: nowMs })
    .where('id', '=', staffId)
    .where('disabled_at_ms', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}
