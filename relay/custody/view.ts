import type { CustodyReceipt, ReleasePayload } from '@sitewarden/agent-proto/http';
import { ownPayload } from '../keys/index.ts';
import type { Tx } from '../store/index.ts';
import { arrivalsAt } from '../store/repositories/arrivals.ts';
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
  /** Where the box moves; null: it belongs to nobody afterwards. */
  to: { siteId: string; siteName: string } | null;
}

export interface CustodyView {
  /** The release that waits for the box of the site. */
  release: ReleaseView | null;
  /** Boxes that left another site for this one and have not asked for their claim yet. */
  arriving: { serial: string; dikFingerprint: string; fromSiteName: string | null; by: string; sinceMs: number }[];
  /** Newest first. */
  receipts: CustodyReceipt[];
  asOfMs: number;
}

export async function custodyOf(
  trx: Tx,
  { partnerId, siteId, nowMs }: { partnerId: string; siteId: string; nowMs: number },
): Promise<CustodyView> {
  const box = await readCurrentBox(trx, siteId);
  const last = box && (await lastRelease(trx, box.id));
  const release = last !== undefined && isOpen(last.state as ReleaseState) ? viewOf(last) : null;
  const arriving = (await arrivalsAt(trx, { partnerId, siteId })).map((row) => ({
    serial: row.serial,
    dikFingerprint: row.fingerprint,
    fromSiteName: row.from_site_name,
    by: row.ordered_by,
    sinceMs: row.at_ms,
  }));
  return { release, arriving, receipts: await receiptsOf(trx, siteId), asOfMs: nowMs };
}

const viewOf = (row: ReleaseRow): ReleaseView => ({
  id: row.id,
  applianceId: row.appliance_id,
  state: row.state as ReleaseState,
  reason: row.reason,
  by: row.ordered_by,
  orderedAtMs: row.ordered_at_ms,
  deliveredAtMs: row.delivered_at_ms,
  to: ownPayload<ReleasePayload>(row.envelope).to ?? null,
});
