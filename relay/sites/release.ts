import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { releaseQuarantined } from '../store/repositories/live.ts';
import { forgetSightings } from '../store/repositories/sightings.ts';
import { assertSite } from './assert-site.ts';

/** Ten check-ins: a machine that was named and is not heard within them has been restarted, or is not there. */
const GENUINE_MS = 10 * 60_000;

/**
 * A person says that the quarantined box is one box, or that its copy is gone. Whichever copy checks in next continues
 * the chain, or only the machine that was named as genuine; if there still is another, its next check-in is a clone's. Throws NOT_FOUND, APPLIANCE_NOT_QUARANTINED.
 */
export async function releaseQuarantine(
  trx: Tx,
  release: { tenant: Tenant; siteId: string; applianceId: string; genuineBootId?: string; nowMs: number },
): Promise<void> {
  const { tenant, siteId, applianceId, genuineBootId, nowMs } = release;
  const genuine =
    genuineBootId === undefined ? {} : { genuine: { bootId: genuineBootId, untilMs: nowMs + GENUINE_MS } };
  await assertSite(trx, siteId);
  if (!(await releaseQuarantined(trx, { siteId, applianceId, ...genuine }))) {
    throw relayErrors.make('APPLIANCE_NOT_QUARANTINED', { field: '/applianceId' });
  }
  await forgetSightings(trx, applianceId);
  await appendAudit(trx, {
    partnerId: tenant.partnerId,
    atMs: nowMs,
    actor: tenant.actor,
    action: 'appliance.released',
    ref: siteId,
    detail: { applianceId, genuineBootId: genuineBootId ?? null },
  });
}
