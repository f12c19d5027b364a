import type { Selectable } from 'kysely';
import type { RelayDatabase } from '../schema.ts';
import type { DirectoryTx, Tx } from '../types.ts';

export type ArrivalRow = Selectable<RelayDatabase['box_arrival']>;

/** A key moves to one place at a time: the last word counts. */
export async function insertArrival(trx: Tx, arrival: ArrivalRow): Promise<void> {
  const { fingerprint: _key, ...rest } = arrival;
  await trx
    .insertInto('box_arrival')
    .values(arrival)
    .onConflict((conflict) => conflict.column('fingerprint').doUpdateSet(rest))
    .execute();
}

export async function findArrival(trx: DirectoryTx, fingerprint: string): Promise<ArrivalRow | undefined> {
  return trx.selectFrom('box_arrival').selectAll().where('fingerprint', '=', fingerprint).executeTakeFirst();
}

/** Ends it: the key has been claimed, there or elsewhere. */
export async function takeArrival(trx: Tx, fingerprint: string): Promise<ArrivalRow | undefined> {
  return trx.deleteFrom('box_arrival').where('fingerprint', '=', fingerprint).returningAll().executeTakeFirst();
}

/** Those on their way to a site of this tenant. */
export async function arrivalsAt(
  trx: Tx,
  { partnerId, siteId }: { partnerId: string; siteId: string },
): Promise<ArrivalRow[]> {
  return trx
    .selectFrom('box_arrival')
    .selectAll()
    .where('site_id', '=', siteId)
    .where('partner_id', '=', partnerId)
    .orderBy('at_ms')
    .limit(20)
    .execute();
}

export async function purgeArrivals(trx: DirectoryTx, beforeMs: number): Promise<void> {
  await trx.deleteFrom('box_arrival').where('at_ms', '<', beforeMs).execute();
}
