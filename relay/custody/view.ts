import type { CustodyReceipt } from '@sitewarden/agent-proto/http';
import type { Tx } from '../store/index.ts';
import { lastRelease, type ReleaseRow } from '../store/repositories/custody.ts';
import { readCurrentBox } from '../store/repositories/sites.ts';
import { isOpen, type ReleaseState } from './machine.ts';
import { receiptsOf } from './receipts.ts';

/** A release as people see it. */
export interface ReleaseView {
  id: string;
  applianceId: string;
  state: ReleaseState;
  reason: string;
  by: string;
  orderedAtMs: number;
  deliveredAtMs: number | null;
}

export interface CustodyView {
  /** The release that waits for the box of the site. */
  release: ReleaseView | null;
  /** Newest first. */
  receipts: CustodyReceipt[];
  asOfMs: number;
}

export async function custodyOf(trx: Tx, siteId: string, nowMs: number): Promise<CustodyView> {
  const box = await readCurrentBox(trx, siteId);
  const last = box && (await lastRelease(trx, box.id));
  const release = last !== undefined && isOpen(last.state as ReleaseState) ? viewOf(last) : null;
  return { release, receipts: await receiptsOf(trx, siteId), asOfMs: nowMs };
}

const viewOf = (row: ReleaseRow): ReleaseView => ({
  id: row.id,
  applianceId: row.appliance_id,
  state: row.state as ReleaseState,
  reason: row.reason,
  by: row.ordered_by,
  orderedAtMs: row.ordered_at_ms,
  deliveredAtMs: row.delivered_at_ms,
});
