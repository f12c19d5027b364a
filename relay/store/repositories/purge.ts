import type { Tx } from '../types.ts';

/**
 * Removes dead sessions and links with their directory entries, and the locators of codes that ended, which makes them
 * free for new codes. Codes themselves stay: they are history. A used code keeps its QR entry, so that a second box with
 * the same secret is noticed for good.
 */
export async function purgeSecrets(
  trx: Tx,
  partnerId: string,
  { endedBeforeMs, unusedSinceMs, nowMs }: { endedBeforeMs: number; unusedSinceMs: number; nowMs: number },
): Promise<void> {
  const sessions = await trx
    .deleteFrom('staff_session')
    .where('partner_id', '=', partnerId)
    .where((eb) => eb.or([eb('expires_at_ms', '<=', nowMs), eb('last_used_at_ms', '<=', unusedSinceMs)]))
    .returning('token_hash')
    .execute();
  const links = await trx
    .deleteFrom('sign_in_link')
    .where('partner_id', '=', partnerId)
    .where('expires_at_ms', '<=', endedBeforeMs)
    .returning('token_hash')
    .execute();
  // The rows of invites stay: they are history.
  const invites = await trx
    .selectFrom('staff_invite')
    .innerJoin('secret_directory', 'secret_directory.hash', 'staff_invite.token_hash')
    .select('staff_invite.token_hash')
    .where('staff_invite.partner_id', '=', partnerId)
    .where('staff_invite.expires_at_ms', '<=', endedBeforeMs)
    .execute();
  for (const { token_hash } of [...sessions, ...links, ...invites]) {
    await trx.deleteFrom('secret_directory').where('hash', '=', token_hash).execute();
  }
  await trx
    .deleteFrom('secret_directory')
    .where('partner_id', '=', partnerId)
    .where('kind', '=', 'locator')
    .where('ref_id', 'in', (eb) =>
      eb
        .selectFrom('provision_code')
        .select('id')
        .where('provision_code.partner_id', '=', partnerId)
        .where('provision_code.expires_at_ms', '<=', endedBeforeMs),
    )
    .execute();
}
