import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { rejectArrivalClaims, takeArrivalAt } from '../store/repositories/arrivals.ts';
import { lockSite } from '../store/repositories/sites.ts';

/**
 * A box that left another site is not expected at this one any more: dead, lost, or wanted elsewhere. It is nobody's from
 * now on and shows its code. Throws NOT_FOUND.
 */
export async function cancelMove(
  trx: Tx,
  wish: { tenant: Tenant; siteId: string; dikFingerprint: string; nowMs: number },
): Promise<void> {
  const { tenant, siteId, dikFingerprint: fingerprint, nowMs } = wish;
  const { partnerId, actor, staffId } = tenant;
  await lockSite(trx, siteId);
  const rejected = await rejectArrivalClaims(trx, { siteId, fingerprint });
  const arrival = await takeArrivalAt(trx, { partnerId, siteId, fingerprint });
  if (arrival === undefined) {
    const detail = 'No such box is on its way to this site; it may have arrived';
    throw relayErrors.make('NOT_FOUND', { field: '/dikFingerprint', detail });
  }
  const said = { partnerId, atMs: nowMs, actor };
  for (const ref of rejected) await appendAudit(trx, { ...said, action: 'claim.rejected', ref, detail: { staffId } });
  const detail = { serial: arrival.serial, fingerprint, fromSiteName: arrival.from_site_name, staffId };
  await appendAudit(trx, { ...said, action: 'box.move_cancelled', ref: siteId, detail });
}
