import type { Selectable } from 'kysely';
import type { RelayDatabase } from '../schema.ts';
import type { DirectoryTx, Tx } from '../types.ts';
import type { ClaimRow } from './claims.ts';

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

export async function findArrival(trx: DirectoryTx | Tx, fingerprint: string): Promise<ArrivalRow | undefined> {
  return (trx as DirectoryTx)
    .selectFrom('box_arrival')
    .selectAll()
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
}

/** Ends it: the key has been claimed, there or elsewhere. */
export async function takeArrival(trx: Tx, fingerprint: string): Promise<ArrivalRow | undefined> {
  return trx.deleteFrom('box_arrival').where('fingerprint', '=', fingerprint).returningAll().executeTakeFirst();
}

/** Ends it, when it is one of this tenant's to that site. */
export async function takeArrivalAt(
  trx: Tx,
  { partnerId, siteId, fingerprint }: { partnerId: string; siteId: string; fingerprint: string },
): Promise<ArrivalRow | undefined> {
  return trx
    .deleteFrom('box_arrival')
    .where('fingerprint', '=', fingerprint)
    .where('site_id', '=', siteId)
    .where('partner_id', '=', partnerId)
    .returningAll()
    .executeTakeFirst();
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

/**
 * What became of the order in a claim it made. as_ordered: approved by it. site_has_box, other_facts: a person decides,
 * because the site got another box, or because the box did not say the seal key and serial number it left with.
 */
export type ArrivalStanding = 'as_ordered' | 'site_has_box' | 'other_facts';

export async function setStanding(trx: Tx, claimId: string, arrival: ArrivalStanding): Promise<void> {
  await trx.updateTable('provision_session').set({ arrival }).where('id', '=', claimId).execute();
}

/** What the relay knew of the box when it left; a copy of its device key alone cannot say it. */
export async function knownAtRelease(
  trx: Tx,
  { from_appliance: id }: ArrivalRow,
): Promise<{ seal: string; serial: string } | undefined> {
  if (id === null) return undefined;
  return trx.selectFrom('appliance').select(['seal', 'serial']).where('id', '=', id).executeTakeFirst();
}

/** Whose box a key is, in service or on its way. */
export async function partnerOfKey(trx: DirectoryTx, fingerprint: string): Promise<string | undefined> {
  const inService = await trx
    .selectFrom('key_directory')
    .select('partner_id')
    .where('fingerprint', '=', fingerprint)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
  return (inService ?? (await findArrival(trx, fingerprint)))?.partner_id;
}

/** The claim of a moved box that is not over: it waits for a person, or its box has not checked in yet. */
export async function openArrivalClaim(
  trx: Tx,
  { fingerprint, nowMs }: { fingerprint: string; nowMs: number },
): Promise<ClaimRow | undefined> {
  return trx
    .selectFrom('provision_session as claim')
    .leftJoin('appliance', (join) =>
      join
        .onRef('appliance.id', '=', 'claim.appliance_id')
        .onRef('appliance.dik_fingerprint', '=', 'claim.fingerprint')
        .on('appliance.state', '<>', 'revoked'),
    )
    .leftJoin('appliance_live as live', 'live.appliance_id', 'claim.appliance_id')
    .selectAll('claim')
    .where('claim.fingerprint', '=', fingerprint)
    .where('claim.arrival', 'is not', null)
    .where((eb) =>
      eb.or([
        eb.and([eb('claim.state', '=', 'claimed'), eb('claim.expires_at_ms', '>', nowMs)]),
        eb.and([eb('appliance.id', 'is not', null), eb('live.appliance_id', 'is', null)]),
      ]),
    )
    .orderBy('claim.started_at_ms', 'desc')
    .executeTakeFirst();
}

/** Claims that waited because of an order that was taken back. Answers their ids. */
export async function rejectArrivalClaims(
  trx: Tx,
  { siteId, fingerprint }: { siteId: string; fingerprint: string },
): Promise<string[]> {
  const rows = await trx
    .updateTable('provision_session')
    .set({ state: 'rejected' })
    .where('site_id', '=', siteId)
    .where('fingerprint', '=', fingerprint)
    .where('state', '=', 'claimed')
    .where('arrival', 'is not', null)
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}
