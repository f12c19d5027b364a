import type { Selectable } from 'kysely';
import type { RelayDatabase } from '../schema.ts';
import type { Tx } from '../types.ts';

export type SiteSecretRow = Selectable<RelayDatabase['site_secret']>;

/** By name. */
export async function listSecrets(trx: Tx, siteId: string): Promise<SiteSecretRow[]> {
  return trx.selectFrom('site_secret').selectAll().where('site_id', '=', siteId).orderBy('name').execute();
}

export async function putSecret(trx: Tx, secret: SiteSecretRow): Promise<void> {
  const { sealed_to, box, set_by, set_at_ms } = secret;
  await trx
    .insertInto('site_secret')
    .values(secret)
    .onConflict((conflict) => conflict.columns(['site_id', 'name']).doUpdateSet({ sealed_to, box, set_by, set_at_ms }))
    .execute();
}

export async function deleteSecret(trx: Tx, { siteId, name }: { siteId: string; name: string }): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('site_secret')
    .where('site_id', '=', siteId)
    .where('name', '=', name)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** The box of a site and the key secrets for it are sealed to. `isOne` false: two say to be it, and a copy would get them too. */
export async function sealKeyAt(
  trx: Tx,
  siteId: string,
): Promise<{ applianceId: string; seal: string; isOne: boolean } | undefined> {
  const row = await trx
    .selectFrom('appliance')
    .select(['id', 'seal', 'state'])
    .where('site_id', '=', siteId)
    .where('state', '<>', 'revoked')
    .executeTakeFirst();
  return row && { applianceId: row.id, seal: row.seal, isOne: row.state === 'active' };
}
