import type { Store, Tx } from '../types.ts';
import { lockAppliance, type RetiredReason, retireKey } from './custody.ts';

/** A device key that is not the present one of its appliance. */
export interface OtherKey {
  readonly fingerprint: string;
  readonly publicKey: string;
  readonly applianceId: string;
  readonly partnerId: string;
  readonly state: 'next' | 'retired';
  readonly atMs: number;
}

export async function findOtherKey(store: Store, fingerprint: string): Promise<OtherKey | undefined> {
  const row = await store.system((trx) =>
    trx.selectFrom('box_key').selectAll().where('fingerprint', '=', fingerprint).executeTakeFirst(),
  );
  return (
    row && {
      fingerprint: row.fingerprint,
      publicKey: row.public_key,
      applianceId: row.appliance_id,
      partnerId: row.partner_id,
      state: row.state as OtherKey['state'],
      atMs: row.at_ms,
    }
  );
}

/** Raw device keys this appliance had before the present one. */
export async function retiredKeys(trx: Tx, applianceId: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('box_key')
    .select('public_key')
    .where('appliance_id', '=', applianceId)
    .where('state', '=', 'retired')
    .execute();
  return rows.map((row) => row.public_key);
}

/** When the use of a retired key of this appliance was noted last; undefined: it has no such key. */
export async function lastUseOf(
  trx: Tx,
  key: { fingerprint: string; applianceId: string },
): Promise<{ atMs: number | null } | undefined> {
  const row = await trx
    .selectFrom('box_key')
    .select('used_at_ms')
    .where('fingerprint', '=', key.fingerprint)
    .where('appliance_id', '=', key.applianceId)
    .where('state', '=', 'retired')
    .executeTakeFirst();
  return row && { atMs: row.used_at_ms };
}

export async function noteUse(trx: Tx, fingerprint: string, atMs: number): Promise<void> {
  await trx.updateTable('box_key').set({ used_at_ms: atMs }).where('fingerprint', '=', fingerprint).execute();
}

/** What a key is to the relay: nobody's, about to be this appliance's, or taken. */
export async function standingOf(
  trx: Tx,
  key: { fingerprint: string; applianceId: string },
): Promise<'free' | 'next' | 'taken'> {
  const { fingerprint, applianceId } = key;
  const used = await trx
    .selectFrom('key_directory')
    .select('fingerprint')
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  if (used !== undefined) return 'taken';
  const known = await trx
    .selectFrom('box_key')
    .select(['appliance_id', 'state'])
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  if (known === undefined) return 'free';
  return known.state === 'next' && known.appliance_id === applianceId ? 'next' : 'taken';
}

interface KeyOf {
  readonly applianceId: string;
  readonly partnerId: string;
  readonly fingerprint: string;
  readonly publicKey: string;
  readonly atMs: number;
}

/** What a key announced stands for ends with the key it was to follow. */
export async function forgetNextKey(trx: Tx, applianceId: string): Promise<void> {
  await trx.deleteFrom('box_key').where('appliance_id', '=', applianceId).where('state', '=', 'next').execute();
}

/** The key is about to be somebody's present one: what it was before, there or elsewhere, is over. */
export async function forgetKey(trx: Tx, fingerprint: string): Promise<void> {
  await trx.deleteFrom('box_key').where('fingerprint', '=', fingerprint).execute();
}

/** The present key of an appliance, the announced one, which is forgotten, and those it had before: none opens anything. */
export async function retireKeys(
  trx: Tx,
  box: { applianceId: string; fingerprint: string; why: RetiredReason; atMs: number },
): Promise<void> {
  const { applianceId, fingerprint, why, atMs } = box;
  const others = await trx
    .selectFrom('box_key')
    .select('fingerprint')
    .where('appliance_id', '=', applianceId)
    .execute();
  for (const key of [{ fingerprint }, ...others]) await retireKey(trx, { fingerprint: key.fingerprint, why, atMs });
  await forgetNextKey(trx, applianceId);
}

/** The one key that may follow the present one; another that was announced before is forgotten. The caller holds the appliance. */
export async function announceKey(trx: Tx, key: KeyOf): Promise<void> {
  const { applianceId, partnerId, fingerprint, publicKey, atMs } = key;
  await forgetNextKey(trx, applianceId);
  await trx
    .insertInto('box_key')
    .values({
      fingerprint,
      public_key: publicKey,
      partner_id: partnerId,
      appliance_id: applianceId,
      state: 'next',
      at_ms: atMs,
      used_at_ms: null,
    })
    .execute();
}

/** What a key comes into force by: a check-in that continued the chain says which machine it is, another request not. */
export type FirstUse = 'checkin' | 'request';

/**
 * Makes the announced key the present one and retires that one. Answers its fingerprint; undefined: it was done already,
 * `follows`, the key that announced it, is not the present one any more, or staff have to decide which copy is the box.
 * Where they named a machine, only a check-in shows that it is this one.
 */
export async function promoteKey(
  trx: Tx,
  key: KeyOf & { readonly follows: string; readonly by: FirstUse },
): Promise<{ retired: string; siteId: string } | undefined> {
  const { applianceId, partnerId, fingerprint, publicKey, atMs } = key;
  const before = await lockAppliance(trx, applianceId);
  if (before?.state !== 'active' || before.dik_fingerprint !== key.follows) return undefined;
  if (key.by === 'request' && before.genuine_boot_id !== null) return undefined;
  const { numDeletedRows } = await trx
    .deleteFrom('box_key')
    .where('fingerprint', '=', fingerprint)
    .where('appliance_id', '=', applianceId)
    .where('state', '=', 'next')
    .executeTakeFirst();
  if (numDeletedRows === 0n) return undefined;
  await trx
    .updateTable('appliance')
    .set({ dik: publicKey, dik_fingerprint: fingerprint })
    .where('id', '=', applianceId)
    .execute();
  await trx
    .updateTable('key_directory')
    .set({ fingerprint, public_key: publicKey })
    .where('appliance_id', '=', applianceId)
    .execute();
  const retired = {
    public_key: before.dik,
    partner_id: partnerId,
    appliance_id: applianceId,
    state: 'retired',
    at_ms: atMs,
    used_at_ms: null,
  };
  await trx
    .insertInto('box_key')
    .values({ fingerprint: before.dik_fingerprint, ...retired })
    // A key that was retired, then claimed anew: it belongs to who had it last.
    .onConflict((conflict) => conflict.column('fingerprint').doUpdateSet(retired))
    .execute();
  return { retired: before.dik_fingerprint, siteId: before.site_id };
}
