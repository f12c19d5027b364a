import type { Tx } from '../types.ts';

const MAX_LOGS = 100;

/** A log of a box that is or was at a site; `presentEpoch` and `evk` are of its appliance as it stands. */
export interface SiteLogRow {
  readonly applianceId: string;
  readonly epoch: number;
  readonly origin: string;
  readonly receivedSize: number;
  readonly cosignedSize: number;
  readonly firstKey: string | null;
  readonly serial: string;
  readonly state: string;
  readonly presentEpoch: number;
  readonly evk: string;
}

/** Newest first. */
export async function listSiteLogs(trx: Tx, siteId: string): Promise<SiteLogRow[]> {
  return trx
    .selectFrom('appliance')
    .innerJoin('evidence_log as log', 'log.appliance_id', 'appliance.id')
    .where('appliance.site_id', '=', siteId)
    .select([
      'appliance.id as applianceId',
      'log.epoch',
      'log.origin',
      'log.received_size as receivedSize',
      'log.cosigned_size as cosignedSize',
      'log.first_key as firstKey',
      'appliance.serial',
      'appliance.state',
      'appliance.epoch as presentEpoch',
      'appliance.evk',
    ])
    .orderBy('appliance.claimed_at_ms', 'desc')
    .orderBy('log.epoch', 'desc')
    .limit(MAX_LOGS)
    .execute();
}
