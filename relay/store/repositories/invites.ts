import type { Selectable } from 'kysely';
import type { RelayDatabase } from '../schema.ts';
import type { Tx } from '../types.ts';

export type InviteRow = Selectable<RelayDatabase['staff_invite']>;

export async function insertInvite(trx: Tx, invite: InviteRow): Promise<void> {
  await trx.insertInto('staff_invite').values(invite).execute();
}

export async function findInvite(trx: Tx, id: string): Promise<InviteRow | undefined> {
  return trx.selectFrom('staff_invite').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Newest first. */
export async function listInvites(trx: Tx, partnerId: string, limit: number): Promise<InviteRow[]> {
  return trx
    .selectFrom('staff_invite')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .orderBy('created_at_ms', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** The one atomic update of an invite: its row for one caller, undefined for everyone after, too late, or revoked. */
export async function takeInvite(trx: Tx, id: string, nowMs: number): Promise<InviteRow | undefined> {
  return trx
    .updateTable('staff_invite')
    .set({ accepted_at_ms: nowMs })
    .where('id', '=', id)
    .where('accepted_at_ms', 'is', null)
    .where('revoked_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .returningAll()
    .executeTakeFirst();
}

/** Revokes one that is open; true when it was. */
export async function revokeInvite(trx: Tx, id: string, nowMs: number): Promise<boolean> {
  const result = await trx
    .updateTable('staff_invite')
    .set({ revoked_at_ms: nowMs })
    .where('id', '=', id)
    .where('accepted_at_ms', 'is', null)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Invites to an address that nobody has accepted or revoked. */
export async function openInvitesTo(trx: Tx, partnerId: string, email: string): Promise<InviteRow[]> {
  return trx
    .selectFrom('staff_invite')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('email', '=', email)
    .where('accepted_at_ms', 'is', null)
    .where('revoked_at_ms', 'is', null)
    .execute();
}

/** Invites somebody made that still let people in, oldest first. */
export async function openInvitesBy(
  trx: Tx,
  { partnerId, makerId, nowMs }: { partnerId: string; makerId: string; nowMs: number },
): Promise<InviteRow[]> {
  return trx
    .selectFrom('staff_invite')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('created_by_staff_id', '=', makerId)
    .where('accepted_at_ms', 'is', null)
    .where('revoked_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();
}
