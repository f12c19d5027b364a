import { sql } from 'kysely';
import type { Tx } from '../types.ts';
import { inChunks } from './bulk.ts';

export interface RolledUp {
  readonly sinceMs: number;
  readonly throughMs: number;
}

export async function readCursor(trx: Tx, partnerId: string): Promise<RolledUp | undefined> {
  return trx
    .selectFrom('availability_cursor')
    .select(['since_ms as sinceMs', 'through_ms as throughMs'])
    .where('partner_id', '=', partnerId)
    .executeTakeFirst();
}

/** Of several relay processes one holds the row until its transaction ends; the others then have nothing left to add. */
export async function saveCursor(trx: Tx, partnerId: string, throughMs: number): Promise<void> {
  await trx
    .insertInto('availability_cursor')
    .values({ partner_id: partnerId, since_ms: throughMs, through_ms: throughMs })
    .onConflict((conflict) => conflict.column('partner_id').doUpdateSet({ through_ms: throughMs }))
    .execute();
}

export async function listHeard(trx: Tx, afterMs: number) {
  return trx
    .selectFrom('appliance_live')
    .select([
      'appliance_id as applianceId',
      'site_id as siteId',
      'last_checkin_at_ms as lastCheckinAtMs',
      'online_since_ms as onlineSinceMs',
    ])
    .where('last_checkin_at_ms', '>', afterMs)
    .execute();
}

export async function addSeen(
  trx: Tx,
  partnerId: string,
  rows: readonly { applianceId: string; siteId: string; fromMs: number; seenMs: number }[],
): Promise<void> {
  await inChunks(rows, (chunk) =>
    trx
      .insertInto('availability')
      .values(
        chunk.map(({ applianceId, siteId, fromMs, seenMs }) => ({
          appliance_id: applianceId,
          partner_id: partnerId,
          site_id: siteId,
          span: 'hour',
          from_ms: fromMs,
          seen_ms: seenMs,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['appliance_id', 'span', 'from_ms']).doUpdateSet((eb) => ({
          seen_ms: eb('availability.seen_ms', '+', eb.ref('excluded.seen_ms')),
        })),
      )
      .execute(),
  );
}

/** Sums the hours of a day that is over. */
export async function rollDays(
  trx: Tx,
  partnerId: string,
  { fromMs, throughMs }: { fromMs: number; throughMs: number },
): Promise<void> {
  const sums = await trx
    .selectFrom('availability')
    .select(['appliance_id', 'site_id', sql<number>`CAST(sum(seen_ms) AS BIGINT)`.as('seen_ms')])
    .where('span', '=', 'hour')
    .where('from_ms', '>=', fromMs)
    .where('from_ms', '<=', throughMs)
    .groupBy(['appliance_id', 'site_id'])
    .execute();
  const rows = sums.map((row) => ({ ...row, partner_id: partnerId, span: 'day', from_ms: fromMs }));
  await inChunks(rows, (chunk) =>
    trx
      .insertInto('availability')
      .values(chunk)
      .onConflict((conflict) =>
        conflict
          .columns(['appliance_id', 'span', 'from_ms'])
          .doUpdateSet((eb) => ({ seen_ms: eb.ref('excluded.seen_ms') })),
      )
      .execute(),
  );
}

export async function purgeAvailability(
  trx: Tx,
  { hoursBeforeMs, daysBeforeMs }: { hoursBeforeMs: number; daysBeforeMs: number },
): Promise<void> {
  await trx.deleteFrom('availability').where('span', '=', 'hour').where('from_ms', '<', hoursBeforeMs).execute();
  await trx.deleteFrom('availability').where('span', '=', 'day').where('from_ms', '<', daysBeforeMs).execute();
}

/** By the beginning of the span; boxes that were at the site one after the other count together. */
export async function listSeen(
  trx: Tx,
  { siteId, span, fromMs }: { siteId: string; span: 'hour' | 'day'; fromMs: number },
): Promise<Map<number, number>> {
  const rows = await trx
    .selectFrom('availability')
    .select(['from_ms', sql<number>`CAST(sum(seen_ms) AS BIGINT)`.as('seen_ms')])
    .where('site_id', '=', siteId)
    .where('span', '=', span)
    .where('from_ms', '>=', fromMs)
    .groupBy('from_ms')
    .execute();
  return new Map(rows.map((row) => [row.from_ms, row.seen_ms]));
}

/** When the first box was claimed for the site; null when none ever was. */
export async function firstClaim(trx: Tx, siteId: string): Promise<number | null> {
  const row = await trx
    .selectFrom('provision_session')
    .select(({ fn }) => fn.min('approved_at_ms').as('first'))
    .where('site_id', '=', siteId)
    .executeTakeFirst();
  return row?.first ?? null;
}
