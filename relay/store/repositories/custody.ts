import type { CustodyKind, CustodyReceipt } from '@sitewarden/agent-proto/http';
import { type Selectable, sql } from 'kysely';
import type { RelayDatabase } from '../schema.ts';
import type { DirectoryTx, Tx } from '../types.ts';

export type ReleaseRow = Selectable<RelayDatabase['box_release']>;
export type ReceiptRow = Selectable<RelayDatabase['custody_receipt']>;

export const RETIRED_REASONS = ['released', 'replaced', 'rearmed', 'removed'] as const;
export type RetiredReason = (typeof RETIRED_REASONS)[number];

export type ApplianceRow = Selectable<RelayDatabase['appliance']>;

/** The row of an appliance, locked by an update that changes nothing: whoever has it decides alone, on both engines. */
export async function lockAppliance(trx: Tx, id: string): Promise<ApplianceRow | undefined> {
  return trx
    .updateTable('appliance')
    .set((eb) => ({ order_seq: eb.ref('order_seq') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

export async function insertRelease(
  trx: Tx,
  release: Omit<ReleaseRow, 'state' | 'delivered_at_ms' | 'ended_at_ms'>,
): Promise<void> {
  await trx
    .insertInto('box_release')
    .values({ ...release, state: 'ordered', delivered_at_ms: null, ended_at_ms: null })
    .execute();
  await setPending(trx, release.appliance_id, release.id);
}

async function setPending(trx: Tx, applianceId: string, releaseId: string | null): Promise<void> {
  await trx.updateTable('appliance').set({ release_id: releaseId }).where('id', '=', applianceId).execute();
}

export async function findRelease(trx: Tx, id: string): Promise<ReleaseRow | undefined> {
  return trx.selectFrom('box_release').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Releases that wait for their boxes; of a tenant these are few. */
export async function openReleases(trx: Tx): Promise<ReleaseRow[]> {
  return trx
    .selectFrom('box_release')
    .innerJoin('appliance', 'appliance.release_id', 'box_release.id')
    .selectAll('box_release')
    .where('appliance.state', '<>', 'revoked')
    .where('box_release.state', 'in', ['ordered', 'delivered'])
    .execute();
}

/** The newest release of an appliance. */
export async function lastRelease(trx: Tx, applianceId: string): Promise<ReleaseRow | undefined> {
  return trx
    .selectFrom('box_release')
    .selectAll()
    .where('appliance_id', '=', applianceId)
    .orderBy('ordered_at_ms', 'desc')
    .orderBy('id', 'desc')
    .executeTakeFirst();
}

/** The caller holds the appliance. */
export async function moveRelease(
  trx: Tx,
  { id, appliance_id: applianceId }: Pick<ReleaseRow, 'id' | 'appliance_id'>,
  { to, atMs }: { to: string; atMs: number },
): Promise<void> {
  const isDelivery = to === 'delivered';
  await trx
    .updateTable('box_release')
    .set({ state: to, ...(isDelivery ? { delivered_at_ms: atMs } : { ended_at_ms: atMs }) })
    .where('id', '=', id)
    .execute();
  if (!isDelivery) await setPending(trx, applianceId, null);
}

export async function insertReceipt(trx: Tx, receipt: ReceiptRow & { kind: CustodyKind }): Promise<void> {
  await trx.insertInto('custody_receipt').values(receipt).execute();
}

/** Newest first. */
export async function listReceipts(trx: Tx, siteId: string, limit: number): Promise<ReceiptRow[]> {
  return trx
    .selectFrom('custody_receipt')
    .selectAll()
    .where('site_id', '=', siteId)
    .orderBy('at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

export async function findReceipt(trx: Tx, id: string): Promise<ReceiptRow | undefined> {
  return trx.selectFrom('custody_receipt').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The receipt that tells of the end of an epoch: it names the key its log began with. */
export async function receiptOfEpoch(
  trx: Tx,
  { applianceId, epoch }: { applianceId: string; epoch: number },
): Promise<CustodyReceipt | undefined> {
  const rows = await trx
    .selectFrom('custody_receipt')
    .select('envelope')
    .where('appliance_id', '=', applianceId)
    .where('kind', '=', 'rearmed')
    .execute();
  const read = rows.map(({ envelope }) => {
    const { payload } = JSON.parse(envelope) as { payload: string };
    return JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as CustodyReceipt;
  });
  return read.find(({ box }) => box.epoch === epoch);
}

/** From now on the key is told why it is not welcome. */
export async function retireKey(
  trx: Tx,
  { fingerprint, why, atMs }: { fingerprint: string; why: RetiredReason; atMs: number },
): Promise<void> {
  await trx
    .insertInto('retired_key')
    .values({ fingerprint, why, at_ms: atMs })
    .onConflict((conflict) => conflict.column('fingerprint').doUpdateSet({ why, at_ms: atMs }))
    .execute();
}

export async function unretireKey(trx: Tx, fingerprint: string): Promise<void> {
  await trx.deleteFrom('retired_key').where('fingerprint', '=', fingerprint).execute();
}

export async function whyRetired(trx: DirectoryTx | Tx, fingerprint: string): Promise<RetiredReason | undefined> {
  const row = await (trx as DirectoryTx)
    .selectFrom('retired_key')
    .select('why')
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  return row?.why as RetiredReason | undefined;
}

/** Keys of boxes that left before `beforeMs` are nobody's from now on. */
export async function purgeRetired(trx: DirectoryTx, beforeMs: number): Promise<void> {
  await trx.deleteFrom('retired_key').where('at_ms', '<', beforeMs).execute();
  await trx.deleteFrom('key_directory').where('revoked_at_ms', '<', beforeMs).execute();
}

/** The same appliance under other keys and in its next epoch; what it was heard of under the old ones is over. */
export async function rearmAppliance(
  trx: Tx,
  box: {
    id: string;
    partnerId: string;
    epoch: number;
    dik: string;
    fingerprint: string;
    evk: string;
    seal: string;
    siteCaFingerprint: string;
    model: string;
    claimedBy: string;
    claimedAtMs: number;
  },
): Promise<void> {
  const { id, partnerId } = box;
  await trx
    .updateTable('appliance')
    .set({
      epoch: box.epoch,
      state: 'active',
      dik: box.dik,
      dik_fingerprint: box.fingerprint,
      evk: box.evk,
      seal: box.seal,
      site_ca_fingerprint: box.siteCaFingerprint,
      model: box.model,
      claimed_by: box.claimedBy,
      claimed_at_ms: box.claimedAtMs,
      quarantined_at_ms: null,
      genuine_boot_id: null,
      genuine_until_ms: null,
    })
    .where('id', '=', id)
    .execute();
  await trx.deleteFrom('key_directory').where('appliance_id', '=', id).execute();
  await trx
    .insertInto('key_directory')
    .values({
      fingerprint: box.fingerprint,
      public_key: box.dik,
      partner_id: partnerId,
      appliance_id: id,
      revoked_at_ms: null,
    })
    .execute();
  await trx.deleteFrom('appliance_live').where('appliance_id', '=', id).execute();
  await trx.deleteFrom('box_sighting').where('appliance_id', '=', id).execute();
}

/** A box that makes its site CA anew has no agents, no results and no open incidents of before. */
export async function endBoxWork(trx: Tx, applianceId: string, atMs: number): Promise<void> {
  await trx
    .updateTable('agent')
    .set({ state: 'removed', connected: 0 })
    .where('appliance_id', '=', applianceId)
    .where('state', '<>', 'removed')
    .execute();
  await trx.deleteFrom('check_latest').where('appliance_id', '=', applianceId).execute();
  const open = await trx
    .selectFrom('incident')
    .select(['id', 'row'])
    .where('appliance_id', '=', applianceId)
    .where(sql<boolean>`state <> 'resolved'`)
    .execute();
  for (const { id, row } of open) {
    const now = { ...(JSON.parse(row) as object), state: 'resolved', changedAtMs: atMs, resolvedAtMs: atMs };
    await trx
      .updateTable('incident')
      .set({ state: 'resolved', changed_at_ms: atMs, row: JSON.stringify(now) })
      .where('appliance_id', '=', applianceId)
      .where('id', '=', id)
      .execute();
  }
}

/** A box nobody claimed yet that says the serial number of an appliance of this tenant, under another key. */
export interface RearmRow {
  readonly session: string;
  readonly serial: string;
  readonly fingerprint: string;
  readonly number: string | null;
  readonly tries: number;
  readonly startedAtMs: number;
  readonly expiresAtMs: number;
  readonly facts: string;
  readonly siteId: string;
  readonly siteName: string;
  readonly applianceId: string;
}

/** Of which requests; `number`: those that show it. */
export interface RearmFilter {
  readonly nowMs: number;
  readonly siteId?: string | undefined;
  readonly session?: string;
  readonly applianceId?: string;
  readonly number?: string | undefined;
}

function rearmsOf(trx: Tx, { nowMs, siteId, session, applianceId, number }: RearmFilter) {
  let query = trx
    .selectFrom('appliance')
    .innerJoin('site', 'site.id', 'appliance.site_id')
    .innerJoin('box_offer as offer', 'offer.serial', 'appliance.serial')
    .where(sql<boolean>`appliance.state <> 'revoked'`)
    .where(sql<boolean>`offer.partner_id IS NULL`)
    .where('offer.expires_at_ms', '>', nowMs)
    .where('offer.number', 'is not', null)
    .whereRef('offer.fingerprint', '<>', 'appliance.dik_fingerprint');
  if (siteId !== undefined) query = query.where('appliance.site_id', '=', siteId);
  if (session !== undefined) query = query.where('offer.id', '=', session);
  if (applianceId !== undefined) query = query.where('appliance.id', '=', applianceId);
  if (number !== undefined) query = query.where('offer.number', '=', number);
  return query;
}

export async function countRearms(trx: Tx, filter: RearmFilter): Promise<number> {
  const { count } = await rearmsOf(trx, filter)
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Of one place; a site has one box, so several at one address are made up, or one that was started again. */
const MAX_AT_ADDRESS = 5;

/**
 * Oldest first: whoever makes up a serial number cannot put those aside that ask already, and of one address not those
 * of others. At most 20. Who names a session or the number a box shows finds it, however many there are: nobody can ask
 * so often that the honest box is not found.
 */
export async function listRearms(trx: Tx, filter: RearmFilter): Promise<RearmRow[]> {
  const isNamed = filter.session !== undefined || filter.number !== undefined;
  const asking = rearmsOf(trx, filter)
    .leftJoin('rearm_try as tried', (join) =>
      join.onRef('tried.session', '=', 'offer.id').onRef('tried.partner_id', '=', 'appliance.partner_id'),
    )
    .select((eb) =>
      eb.fn
        .agg<number>('row_number')
        .over((over) =>
          over.partitionBy(['appliance.id', 'offer.address']).orderBy('offer.started_at_ms').orderBy('offer.id'),
        )
        .as('place'),
    )
    .select((eb) => eb.fn.coalesce('tried.tries', sql<number>`0`).as('tries'))
    .select([
      'offer.id as session',
      'offer.serial',
      'offer.fingerprint',
      'offer.number',
      'offer.started_at_ms as startedAtMs',
      'offer.expires_at_ms as expiresAtMs',
      'offer.facts',
      'site.id as siteId',
      'site.name as siteName',
      'appliance.id as applianceId',
    ]);
  const rows = await trx
    .selectFrom(asking.as('asking'))
    .selectAll()
    .where('place', '<=', isNamed ? Number.MAX_SAFE_INTEGER : MAX_AT_ADDRESS)
    .orderBy('startedAtMs')
    .orderBy('session')
    .limit(20)
    .execute();
  return rows.map(({ place: _place, ...row }) => row);
}

/** False when this partner has used up its tries with a wrong number. */
export async function takeRearmTry(
  trx: Tx,
  { session, partnerId, max }: { session: string; partnerId: string; max: number },
): Promise<boolean> {
  const result = await trx
    .insertInto('rearm_try')
    .values({ session, partner_id: partnerId, tries: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['session', 'partner_id'])
        .doUpdateSet((eb) => ({ tries: eb('rearm_try.tries', '+', 1) }))
        .where('rearm_try.tries', '<', max),
    )
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function returnRearmTry(trx: Tx, by: { session: string; partnerId: string }): Promise<void> {
  await trx
    .updateTable('rearm_try')
    .set((eb) => ({ tries: eb('tries', '-', 1) }))
    .where('session', '=', by.session)
    .where('partner_id', '=', by.partnerId)
    .execute();
}
