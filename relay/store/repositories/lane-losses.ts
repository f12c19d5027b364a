import type { Lane } from '@sitewarden/agent-proto/http';
import type { Tx } from '../types.ts';

export interface LaneLoss {
  readonly applianceId: string;
  readonly partnerId: string;
  readonly siteId: string;
  readonly epoch: number;
  readonly lane: string;
  readonly fromSeq: number;
  readonly rows: number;
  readonly refused: number;
  readonly atMs: number;
}

/** Belongs in the transaction that moves the lane's position beyond these rows. */
export async function noteLaneLoss(trx: Tx, loss: LaneLoss): Promise<void> {
  await trx
    .insertInto('lane_loss')
    .values({
      appliance_id: loss.applianceId,
      partner_id: loss.partnerId,
      site_id: loss.siteId,
      epoch: loss.epoch,
      lane: loss.lane,
      from_seq: loss.fromSeq,
      row_count: loss.rows,
      refused: loss.refused,
      at_ms: loss.atMs,
    })
    .execute();
}

export interface LaneLossSum {
  readonly lane: Lane;
  readonly rows: number;
  readonly refused: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** All that a site's boxes ever said was lost on the way, by lane. */
export async function laneLossesOfSite(trx: Tx, siteId: string): Promise<LaneLossSum[]> {
  const sums = await trx
    .selectFrom('lane_loss')
    .where('site_id', '=', siteId)
    .groupBy('lane')
    .orderBy('lane')
    .select(({ fn }) => [
      'lane',
      fn.sum<number | string>('row_count').as('rows'),
      fn.sum<number | string>('refused').as('refused'),
      fn.min('at_ms').as('firstAtMs'),
      fn.max('at_ms').as('lastAtMs'),
    ])
    .execute();
  // A sum of 64-bit numbers is a text in PostgreSQL.
  return sums.map(({ lane, rows, refused, ...times }) => ({
    lane: lane as Lane,
    rows: Number(rows),
    refused: Number(refused),
    ...times,
  }));
}
