import { sql } from 'kysely';
import type { Tx } from '../types.ts';
import { forgetKey, forgetNextKey } from './box-keys.ts';
import { unretireKey } from './custody.ts';
import { insertLog } from './evidence.ts';

export interface NewAppliance {
  readonly id: string;
  readonly partnerId: string;
  readonly siteId: string;
  readonly dik: string;
  readonly fingerprint: string;
  readonly evk: string;
  readonly seal: string;
  readonly siteCaFingerprint: string;
  readonly serial: string;
  readonly model: string;
  readonly claimedBy: string;
  readonly claimedAtMs: number;
  readonly origin: string;
  readonly epoch: number;
  /** The appliance of the site before whose log goes on here. */
  readonly movedFrom: string | null;
}

/** An appliance in its first epoch with an empty evidence log. Its key must not be active anywhere: `releaseKey` first. */
export async function insertAppliance(trx: Tx, appliance: NewAppliance): Promise<void> {
  const { id, partnerId } = appliance;
  await trx
    .insertInto('appliance')
    .values({
      id,
      partner_id: partnerId,
      site_id: appliance.siteId,
      epoch: appliance.epoch,
      state: 'active',
      dik: appliance.dik,
      dik_fingerprint: appliance.fingerprint,
      evk: appliance.evk,
      seal: appliance.seal,
      site_ca_fingerprint: appliance.siteCaFingerprint,
      serial: appliance.serial,
      model: appliance.model,
      claimed_by: appliance.claimedBy,
      claimed_at_ms: appliance.claimedAtMs,
      order_seq: 0,
      moved_from: appliance.movedFrom,
    })
    .execute();
  await trx
    .insertInto('key_directory')
    .values({
      fingerprint: appliance.fingerprint,
      public_key: appliance.dik,
      partner_id: partnerId,
      appliance_id: id,
      revoked_at_ms: null,
    })
    .execute();
  const { epoch, origin, evk: firstKey } = appliance;
  await insertLog(trx, { applianceId: id, partnerId, epoch, origin, firstKey });
}

/** Takes an appliance out of service for good. Its key is refused from the commit on, and none can follow it. */
export async function revokeAppliance(trx: Tx, id: string, nowMs: number): Promise<boolean> {
  const result = await trx
    .updateTable('appliance')
    .set({ state: 'revoked' })
    .where('id', '=', id)
    .where('state', '<>', 'revoked')
    .executeTakeFirst();
  await trx.updateTable('key_directory').set({ revoked_at_ms: nowMs }).where('appliance_id', '=', id).execute();
  await forgetNextKey(trx, id);
  return result.numUpdatedRows === 1n;
}

/** An appliance that would go out of service, as people know it. `lastCheckinAtMs` null: it never checked in. */
export interface ReplacedBox {
  readonly applianceId: string;
  readonly serial: string;
  readonly lastCheckinAtMs: number | null;
}

/** The box of a site that another one would replace. The same box coming back under its key replaces nobody. */
export async function boxToReplace(
  trx: Tx,
  { siteId, fingerprint }: { siteId: string; fingerprint: string | null },
): Promise<ReplacedBox | null> {
  const current = trx
    .selectFrom('appliance')
    .leftJoin('appliance_live', 'appliance_live.appliance_id', 'appliance.id')
    .where('appliance.site_id', '=', siteId)
    .where(sql<boolean>`appliance.state <> 'revoked'`)
    .select(['appliance.id', 'appliance.serial', 'appliance_live.last_checkin_at_ms']);
  const row = await (fingerprint === null
    ? current
    : current.where('appliance.dik_fingerprint', '<>', fingerprint)
  ).executeTakeFirst();
  return row === undefined
    ? null
    : { applianceId: row.id, serial: row.serial, lastCheckinAtMs: row.last_checkin_at_ms };
}

/** Appliances of this tenant that a new one at the site with this key replaces. */
export async function replacedAppliances(
  trx: Tx,
  { siteId, fingerprint }: { siteId: string; fingerprint: string },
): Promise<string[]> {
  const rows = await trx
    .selectFrom('appliance')
    .select('id')
    .where('state', '<>', 'revoked')
    .where((eb) => eb.or([eb('site_id', '=', siteId), eb('dik_fingerprint', '=', fingerprint)]))
    .execute();
  return rows.map((row) => row.id);
}

/** The box of a site with this serial number, if it is there under another key: a claim for it is a re-arm. */
export async function applianceToRearm(
  trx: Tx,
  { siteId, serial, fingerprint }: { siteId: string; serial: string; fingerprint: string },
): Promise<string | null> {
  const row = await trx
    .selectFrom('appliance')
    .select('id')
    .where('state', '<>', 'revoked')
    .where('site_id', '=', siteId)
    .where('serial', '=', serial)
    .where('dik_fingerprint', '<>', fingerprint)
    .executeTakeFirst();
  return row?.id ?? null;
}

/** Makes room for a key that may be claimed again. False when another appliance, also of another tenant, still uses it. */
export async function releaseKey(trx: Tx, fingerprint: string): Promise<boolean> {
  await trx
    .deleteFrom('key_directory')
    .where('fingerprint', '=', fingerprint)
    .where('revoked_at_ms', 'is not', null)
    .execute();
  await unretireKey(trx, fingerprint);
  await forgetKey(trx, fingerprint);
  const left = await trx
    .selectFrom('key_directory')
    .select('fingerprint')
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  return left === undefined;
}
