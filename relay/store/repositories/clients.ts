import type { Tx } from '../types.ts';

export interface Client {
  readonly id: string;
  readonly name: string;
}

export async function listClients(trx: Tx, partnerId: string): Promise<Client[]> {
  return trx
    .selectFrom('client')
    .select(['id', 'name'])
    .where('partner_id', '=', partnerId)
    .orderBy('name')
    .orderBy('id')
    .execute();
}

/** False when the name is taken. */
export async function insertClient(trx: Tx, partnerId: string, client: Client & { nowMs: number }): Promise<boolean> {
  const result = await trx
    .insertInto('client')
    .values({ id: client.id, partner_id: partnerId, name: client.name, created_at_ms: client.nowMs })
    .onConflict((conflict) => conflict.columns(['partner_id', 'name']).doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}
