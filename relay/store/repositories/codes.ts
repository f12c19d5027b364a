import type { Selectable } from 'kysely';
import type { RelayDatabase } from '../schema.ts';
import type { Tx } from '../types.ts';

export type CodeRow = Selectable<RelayDatabase['provision_code']>;
/** A code with its site and the claim of the box that presented it; null in all of the claim's columns before that. */
export type CodeListRow = CodeRow & {
  site_name: string;
  claim_state: string | null;
  claim_expires_at_ms: number | null;
  serial: string | null;
  claimed_at_ms: number | null;
  approved_by: string | null;
  approved_at_ms: number | null;
  acknowledged_at_ms: number | null;
};

export async function insertCode(trx: Tx, code: CodeRow): Promise<void> {
  await trx.insertInto('provision_code').values(code).execute();
}

export async function findCode(trx: Tx, id: string): Promise<CodeRow | undefined> {
  return trx.selectFrom('provision_code').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Newest first. */
export async function listCodes(trx: Tx, partnerId: string, limit: number): Promise<CodeListRow[]> {
  return trx
    .selectFrom('provision_code')
    .innerJoin('site', 'site.id', 'provision_code.site_id')
    .leftJoin('provision_session as claim', 'claim.code_id', 'provision_code.id')
    .selectAll('provision_code')
    .select(['site.name as site_name', 'claim.state as claim_state', 'claim.expires_at_ms as claim_expires_at_ms'])
    .select(['claim.serial', 'claim.claimed_at_ms', 'claim.approved_by', 'claim.approved_at_ms'])
    .select('claim.acknowledged_at_ms')
    .where('provision_code.partner_id', '=', partnerId)
    .orderBy('provision_code.created_at_ms', 'desc')
    .orderBy('provision_code.id')
    .limit(limit)
    .execute();
}

/** The site of a code that waits for its box, the first time somebody opens its page; undefined otherwise. */
export async function scanCode(trx: Tx, id: string, nowMs: number): Promise<string | undefined> {
  const row = await trx
    .updateTable('provision_code')
    .set({ scanned_at_ms: nowMs })
    .where('id', '=', id)
    .where('scanned_at_ms', 'is', null)
    .where('used_at_ms', 'is', null)
    .where('revoked_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .returning('site_id')
    .executeTakeFirst();
  return row?.site_id;
}

/** The one atomic update of the way in where the partner made the code: true for one caller, false for all others. */
export async function takeCode(
  trx: Tx,
  { id, fingerprint, nowMs }: { id: string; fingerprint: string; nowMs: number },
): Promise<boolean> {
  const result = await trx
    .updateTable('provision_code')
    .set({ used_at_ms: nowMs, used_by_fingerprint: fingerprint })
    .where('id', '=', id)
    .where('used_at_ms', 'is', null)
    .where('revoked_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export async function revokeCode(trx: Tx, id: string, nowMs: number): Promise<boolean> {
  const result = await trx
    .updateTable('provision_code')
    .set({ revoked_at_ms: nowMs })
    .where('id', '=', id)
    .where('used_at_ms', 'is', null)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Ends the codes that no person would look at again, and that no box has used. Answers them. */
export async function revokePreApproved(
  trx: Tx,
  { partnerId, nowMs }: { partnerId: string; nowMs: number },
): Promise<{ id: string; siteId: string }[]> {
  return trx
    .updateTable('provision_code')
    .set({ revoked_at_ms: nowMs })
    .where('partner_id', '=', partnerId)
    .where('pre_approved', '=', 1)
    .where('used_at_ms', 'is', null)
    .where('revoked_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .returning(['id', 'site_id as siteId'])
    .execute();
}

export async function disputeCode(trx: Tx, id: string, nowMs: number): Promise<void> {
  await trx
    .updateTable('provision_code')
    .set({ disputed_at_ms: nowMs })
    .where('id', '=', id)
    .where('disputed_at_ms', 'is', null)
    .execute();
}

/** Pays for one guess before it is looked at. False when none is left. */
export async function takeTry(trx: Tx, id: string): Promise<boolean> {
  const result = await trx
    .updateTable('provision_code')
    .set((eb) => ({ tries_left: eb('tries_left', '-', 1) }))
    .where('id', '=', id)
    .where('tries_left', '>', 0)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Gives a paid try back: the guess was right. */
export async function returnTry(trx: Tx, id: string): Promise<void> {
  await trx
    .updateTable('provision_code')
    .set((eb) => ({ tries_left: eb('tries_left', '+', 1) }))
    .where('id', '=', id)
    .execute();
}
