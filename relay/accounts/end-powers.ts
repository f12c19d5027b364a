import { appendAudit } from '../audit/index.ts';
import type { Tx } from '../store/index.ts';
import { revokePreApproved } from '../store/repositories/codes.ts';
import { dropSecret } from '../store/repositories/directory.ts';
import { type InviteRow, openInvitesBy, revokeInvite } from '../store/repositories/invites.ts';

/** Who revokes; someone with a shell on the relay has no `staffId`. */
export interface Revoker {
  readonly partnerId: string;
  readonly actor: string;
  readonly staffId?: string;
}

/** The caller holds `lockPeople`: rows and the audit chain are then locked in one order everywhere. */
export async function revokeIn(trx: Tx, row: InviteRow, { by, nowMs }: { by: Revoker; nowMs: number }): Promise<void> {
  const { partnerId, actor, staffId } = by;
  if (!(await revokeInvite(trx, row.id, nowMs))) return;
  await dropSecret(trx, row.token_hash);
  const detail = { email: row.email, ...(staffId === undefined ? {} : { staffId }) };
  await appendAudit(trx, { partnerId, atMs: nowMs, actor, action: 'invite.revoked', ref: row.id, detail });
}

/**
 * Ends what somebody who is no admin any more could be let in again by, or put a box of their own in with. A code says no
 * person, only a name; those that need no approval live ten minutes, so all of the company end. The caller holds `lockPeople`.
 */
export async function endPowersOf(
  trx: Tx,
  makerId: string,
  { by, nowMs }: { by: Revoker; nowMs: number },
): Promise<void> {
  // Rows before the audit chain, as everywhere.
  const codes = await revokePreApproved(trx, { partnerId: by.partnerId, nowMs });
  for (const row of await openInvitesBy(trx, { partnerId: by.partnerId, makerId, nowMs })) {
    await revokeIn(trx, row, { by, nowMs });
  }
  const { partnerId, actor, staffId } = by;
  for (const { id, siteId } of codes) {
    const detail = { siteId, ...(staffId === undefined ? {} : { staffId }) };
    await appendAudit(trx, { partnerId, atMs: nowMs, actor, action: 'code.revoked', ref: id, detail });
  }
}
