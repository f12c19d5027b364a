import type { Store, Tx } from '../store/index.ts';
import {
  addSeen,
  listHeard,
  purgeAvailability,
  readCursor,
  rollDays,
  saveCursor,
} from '../store/repositories/availability.ts';
import { purgeChanges } from '../store/repositories/check-history.ts';
import { listTenants } from '../store/repositories/directory.ts';
import { DAY_MS, HOUR_MS, LAG_MS, seenByHour } from './seen.ts';

/** Hours for a look at the last weeks, days for a look at more than a year. */
export const KEEP_HOURS_MS = 35 * DAY_MS;
export const KEEP_DAYS_MS = 400 * DAY_MS;
/** What auditors ask for most: the last quarter. */
export const KEEP_CHANGES_MS = 90 * DAY_MS;

const dayOf = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;

/** Adds what was heard since the last time to the hours, and finished days to the days. One transaction of a tenant. */
export async function rollUpTenant(trx: Tx, partnerId: string, nowMs: number): Promise<void> {
  const toMs = nowMs - LAG_MS;
  const fromMs = (await readCursor(trx, partnerId))?.throughMs;
  if (fromMs !== undefined && toMs <= fromMs) return;
  await saveCursor(trx, partnerId, toMs);
  // From when nothing was rolled up nothing is known: it is not made up.
  if (fromMs === undefined) return;
  const heard = await listHeard(trx, fromMs);
  const rows = heard.flatMap((box) =>
    seenByHour(box, { fromMs, toMs }).map((hour) => ({ ...hour, applianceId: box.applianceId, siteId: box.siteId })),
  );
  await addSeen(trx, partnerId, rows);
  if (dayOf(fromMs) === dayOf(toMs)) return;
  for (let day = dayOf(fromMs); day < dayOf(toMs); day += DAY_MS) {
    await rollDays(trx, partnerId, { fromMs: day, throughMs: day + DAY_MS - HOUR_MS });
  }
  await purgeAvailability(trx, { hoursBeforeMs: nowMs - KEEP_HOURS_MS, daysBeforeMs: nowMs - KEEP_DAYS_MS });
  await purgeChanges(trx, nowMs - KEEP_CHANGES_MS);
}

export async function rollUp(store: Store, nowMs: number): Promise<void> {
  for (const partnerId of await store.system(listTenants)) {
    await store.inTenant(partnerId, (trx) => rollUpTenant(trx, partnerId, nowMs));
  }
}
