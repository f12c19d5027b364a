import type { Tx } from '../types.ts';

export interface LaneKey {
  applianceId: string;
  partnerId: string;
  epoch: number;
  lane: string;
}

/**
 * The position of a lane, locked until the transaction ends. One statement on both engines: on PostgreSQL the upsert
 * holds the row, on SQLite the transaction is the only writer.
 */
export async function lockPosition(trx: Tx, key: LaneKey): Promise<number> {
  const row = await trx
    .insertInto('outbox_position')
    .values({
      appliance_id: key.applianceId,
      partner_id: key.partnerId,
      epoch: key.epoch,
      lane: key.lane,
      acked_through: 0,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['appliance_id', 'epoch', 'lane'])
        .doUpdateSet((eb) => ({ acked_through: eb.ref('outbox_position.acked_through') })),
    )
    .returning('acked_through')
    .executeTakeFirstOrThrow();
  return row.acked_through;
}

export async function savePosition(trx: Tx, key: LaneKey, ackedThrough: number): Promise<void> {
  await trx
    .updateTable('outbox_position')
    .set({ acked_through: ackedThrough })
    .where('appliance_id', '=', key.applianceId)
    .where('epoch', '=', key.epoch)
    .where('lane', '=', key.lane)
    .execute();
}

export async function readPosition(trx: Tx, key: LaneKey): Promise<number> {
  const row = await trx
    .selectFrom('outbox_position')
    .select('acked_through')
    .where('appliance_id', '=', key.applianceId)
    .where('epoch', '=', key.epoch)
    .where('lane', '=', key.lane)
    .executeTakeFirst();
  return row?.acked_through ?? 0;
}

/** The box as it stands now, whatever a cache says. */
export async function readAppliance(
  trx: Tx,
  applianceId: string,
): Promise<
  { siteId: string; epoch: number; state: string; fingerprint: string; movedFrom: string | null } | undefined
> {
  const row = await trx
    .selectFrom('appliance')
    .select(['site_id', 'epoch', 'state', 'dik_fingerprint', 'moved_from'])
    .where('id', '=', applianceId)
    .executeTakeFirst();
  return (
    row && {
      siteId: row.site_id,
      epoch: row.epoch,
      state: row.state,
      fingerprint: row.dik_fingerprint,
      movedFrom: row.moved_from,
    }
  );
}
