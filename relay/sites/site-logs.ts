import { relayErrors } from '../errors.ts';
import type { Tx } from '../store/index.ts';
import { receiptOfEpoch } from '../store/repositories/custody.ts';
import type { LogRef } from '../store/repositories/evidence.ts';
import { listSiteLogs, type SiteLogRow } from '../store/repositories/site-logs.ts';

/** A log some box kept at a site; `id` names it in a query. */
export interface SiteLogView {
  id: string;
  origin: string;
  epoch: number;
  serial: string;
  isCurrent: boolean;
  receivedSize: number;
  cosignedSize: number;
}

const viewOf = (row: SiteLogRow): SiteLogView => ({
  id: `${row.applianceId}/${row.epoch}`,
  origin: row.origin,
  epoch: row.epoch,
  serial: row.serial,
  isCurrent: isCurrent(row),
  receivedSize: row.receivedSize,
  cosignedSize: row.cosignedSize,
});

const isCurrent = (row: SiteLogRow): boolean => row.state !== 'revoked' && row.epoch === row.presentEpoch;

/** Every log of every box the site ever had, newest first, and the wanted one; without `log` that of the box there now. Throws NOT_FOUND. */
export async function findSiteLog(
  trx: Tx,
  { siteId, log }: { siteId: string; log?: string | undefined },
): Promise<{ logs: SiteLogView[]; key: LogRef | undefined; firstKey: () => Promise<string> }> {
  const rows = await listSiteLogs(trx, siteId);
  const wanted = rows.find((row) => (log === undefined ? isCurrent(row) : viewOf(row).id === log));
  if (wanted === undefined && log !== undefined) {
    throw relayErrors.make('NOT_FOUND', { field: '/log', detail: 'No box of this site kept such a log' });
  }
  return {
    logs: rows.map(viewOf),
    key: wanted && { applianceId: wanted.applianceId, epoch: wanted.epoch },
    firstKey: async () => (wanted === undefined ? '' : firstKeyOf(trx, wanted)),
  };
}

/** Of logs of before it is in the appliance while it is in that epoch, and in the receipt that ended the epoch. */
async function firstKeyOf(trx: Tx, row: SiteLogRow): Promise<string> {
  if (row.firstKey !== null) return row.firstKey;
  if (row.epoch === row.presentEpoch) return row.evk;
  return (await receiptOfEpoch(trx, row))?.box.evk ?? '';
}
