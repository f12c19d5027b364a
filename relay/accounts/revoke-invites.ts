import { appendAudit } from '../audit/index.ts';
import type { Tx } from '../store/index.ts';
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

/** Ends what somebody who is no admin any more could be let in again by. The caller holds `lockPeople`. */
export async function revokeInvitesBy(
  trx: Tx,
  makerId: string,
  { by, nowMs }: { by: Revoker; nowMs: number },
): Promise<void> {
  for (const row of await openInvitesBy(trx, { partnerId: by.partnerId, makerId, nowMs })) {
    await revokeIn(trx, row, { by, nowMs });
  }
}
