import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { releaseQuarantined } from '../store/repositories/live.ts';
import { assertSite } from './assert-site.ts';

/**
 * A person says that the quarantined box is one box, or that its copy is gone. Whichever copy checks in next continues
 * the chain; if there still is another, its next check-in is a clone's. Throws NOT_FOUND, APPLIANCE_NOT_QUARANTINED.
 */
export async function releaseQuarantine(
  trx: Tx,
  release: { tenant: Tenant; siteId: string; applianceId: string; nowMs: number },
): Promise<void> {
  const { tenant, siteId, applianceId, nowMs } = release;
  await assertSite(trx, siteId);
  if (!(await releaseQuarantined(trx, { siteId, applianceId }))) {
    throw relayErrors.make('APPLIANCE_NOT_QUARANTINED', { field: '/applianceId' });
  }
  await appendAudit(trx, {
    partnerId: tenant.partnerId,
    atMs: nowMs,
    actor: tenant.actor,
    action: 'appliance.released',
    ref: siteId,
    detail: { applianceId },
  });
}
