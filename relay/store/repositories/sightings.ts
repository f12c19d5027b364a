import type { Tx } from '../types.ts';

/** A machine that used the identity of a box. `body`: its CheckinRequest as it came. */
export interface Sighting {
  readonly applianceId: string;
  readonly partnerId: string;
  readonly bootId: string;
  readonly address: string;
  readonly atMs: number;
  readonly body: string;
}

export interface SightingRow extends Sighting {
  readonly firstSeenMs: number;
}

/** More machines than anybody can tell apart; a copy that restarts all day must not fill the table. */
const MAX_PER_BOX = 20;

/** Of boxes that are in quarantine by now; others may have been decided meanwhile. */
export async function saveSightings(trx: Tx, sightings: readonly Sighting[]): Promise<void> {
  for (const { applianceId, partnerId, bootId, address, atMs, body } of sightings) {
    const box = await trx
      .selectFrom('appliance')
      .select('id')
      .where('id', '=', applianceId)
      .where('state', '=', 'quarantined')
      .executeTakeFirst();
    if (box === undefined) continue;
    const known = await trx
      .selectFrom('box_sighting')
      .select('boot_id')
      .where('appliance_id', '=', applianceId)
      .execute();
    if (known.length >= MAX_PER_BOX && !known.some((one) => one.boot_id === bootId)) continue;
    const key = { appliance_id: applianceId, partner_id: partnerId, boot_id: bootId, address };
    await trx
      .insertInto('box_sighting')
      .values({ ...key, first_seen_ms: atMs, last_seen_ms: atMs, body })
      .onConflict((conflict) =>
        conflict.columns(['appliance_id', 'boot_id', 'address']).doUpdateSet({ last_seen_ms: atMs, body }),
      )
      .execute();
  }
}

/** Oldest first. */
export async function listSightings(trx: Tx, applianceId: string): Promise<SightingRow[]> {
  const rows = await trx
    .selectFrom('box_sighting')
    .selectAll()
    .where('appliance_id', '=', applianceId)
    .orderBy('first_seen_ms')
    .orderBy('boot_id')
    .execute();
  return rows.map((row) => ({
    applianceId: row.appliance_id,
    partnerId: row.partner_id,
    bootId: row.boot_id,
    address: row.address,
    firstSeenMs: row.first_seen_ms,
    atMs: row.last_seen_ms,
    body: row.body,
  }));
}

export async function forgetSightings(trx: Tx, applianceId: string): Promise<void> {
  await trx.deleteFrom('box_sighting').where('appliance_id', '=', applianceId).execute();
}

/** The machine that was heard last before: what the live row of the box says. */
export async function lastHeard(
  trx: Tx,
  applianceId: string,
): Promise<{ bootId: string; atMs: number; body: string } | undefined> {
  const row = await trx
    .selectFrom('appliance_live')
    .select(['boot_id', 'last_checkin_at_ms', 'body'])
    .where('appliance_id', '=', applianceId)
    .executeTakeFirst();
  return row && { bootId: row.boot_id, atMs: row.last_checkin_at_ms, body: row.body };
}

export async function quarantinedSince(trx: Tx, applianceId: string): Promise<number | null> {
  const row = await trx
    .selectFrom('appliance')
    .select('quarantined_at_ms')
    .where('id', '=', applianceId)
    .executeTakeFirst();
  return row?.quarantined_at_ms ?? null;
}
