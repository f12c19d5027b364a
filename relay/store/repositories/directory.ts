import type { SecretKind } from '../../lib/secrets.ts';
import type { DirectoryTx, Tx } from '../types.ts';

export interface SecretOwner {
  readonly partnerId: string;
  readonly refId: string;
}

/** Whose secret this is; undefined when it is nobody's. */
export async function findSecret(trx: DirectoryTx, kind: SecretKind, hash: string): Promise<SecretOwner | undefined> {
  const row = await trx
    .selectFrom('secret_directory')
    .select(['partner_id', 'ref_id'])
    .where('hash', '=', hash)
    .where('kind', '=', kind)
    .executeTakeFirst();
  return row && { partnerId: row.partner_id, refId: row.ref_id };
}

/** False when another secret has this hash already: only short ones, like locators, can meet. */
export async function enterSecret(
  trx: Tx,
  secret: { kind: SecretKind; hash: string; partnerId: string; refId: string },
): Promise<boolean> {
  const { kind, hash, partnerId, refId } = secret;
  const result = await trx
    .insertInto('secret_directory')
    .values({ hash, kind, partner_id: partnerId, ref_id: refId })
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

/** Whether the hash is somebody's, of whatever tenant. */
export async function isSecretEntered(trx: Tx, hash: string): Promise<boolean> {
  const row = await trx.selectFrom('secret_directory').select('hash').where('hash', '=', hash).executeTakeFirst();
  return row !== undefined;
}

export async function dropSecret(trx: Tx, hash: string): Promise<void> {
  await trx.deleteFrom('secret_directory').where('hash', '=', hash).execute();
}

/** Ids of all tenants, oldest first. */
export async function listTenants(trx: DirectoryTx): Promise<string[]> {
  const rows = await trx
    .selectFrom('tenant_directory')
    .select('partner_id')
    .orderBy('created_at_ms')
    .orderBy('partner_id')
    .execute();
  return rows.map((row) => row.partner_id);
}
