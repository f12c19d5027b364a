import type { DeviceRow } from '@sitewarden/agent-proto/http';
import type { Tx } from '../types.ts';
import type { RowOwner } from './agents.ts';
import { inChunks, lastOfEach } from './bulk.ts';

export async function upsertDevices(trx: Tx, owner: RowOwner, rows: readonly DeviceRow[]): Promise<void> {
  await inChunks(
    lastOfEach(rows, (row) => row.id),
    (chunk) =>
      trx
        .insertInto('device')
        .values(
          chunk.map((row) => ({
            id: row.id,
            partner_id: owner.partnerId,
            site_id: owner.siteId,
            appliance_id: owner.applianceId,
            last_seen_ms: row.lastSeenMs,
            row: JSON.stringify(row),
          })),
        )
        .onConflict((conflict) =>
          conflict.columns(['appliance_id', 'id']).doUpdateSet((eb) => ({
            site_id: eb.ref('excluded.site_id'),
            last_seen_ms: eb.ref('excluded.last_seen_ms'),
            row: eb.ref('excluded.row'),
          })),
        )
        .execute(),
  );
}

/** Devices of a box, seen last first. */
export async function listDevices(trx: Tx, applianceId: string, limit: number): Promise<DeviceRow[]> {
  const rows = await trx
    .selectFrom('device')
    .select('row')
    .where('appliance_id', '=', applianceId)
    .orderBy('last_seen_ms', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ row }) => JSON.parse(row) as DeviceRow);
}

export async function countDevices(trx: Tx, applianceId: string): Promise<number> {
  const row = await trx
    .selectFrom('device')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('appliance_id', '=', applianceId)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}
