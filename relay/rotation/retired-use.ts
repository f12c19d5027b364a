import { appendAudit } from '../audit/index.ts';
import type { Store } from '../store/index.ts';
import { quarantine } from '../store/repositories/live.ts';
import { readAppliance } from '../store/repositories/outbox.ts';

/** A request signed before the change may still be on its way, and its clock may be off by as much as the skew allows. */
export const LATE_REQUEST_MS = 10 * 60_000;

export const RETIRED_KEY_USED = 'a device key that was replaced is still used';

/**
 * Somebody signed with a key its box gave up: a copy from before the change, or the box itself if the copy changed the
 * key first. Which is which staff decide, so what is in service under the new key is quarantined. Answers whether it was.
 */
export async function noteRetiredUse(
  store: Store,
  use: {
    applianceId: string;
    partnerId: string;
    fingerprint: string;
    retiredAtMs: number;
    signedAtMs: number;
    nowMs: number;
  },
): Promise<boolean> {
  const { applianceId, partnerId, fingerprint, retiredAtMs, signedAtMs, nowMs } = use;
  if (signedAtMs <= retiredAtMs + LATE_REQUEST_MS) return false;
  return store.inTenant(partnerId, async (trx) => {
    const appliance = await readAppliance(trx, applianceId);
    if (appliance === undefined || !(await quarantine(trx, applianceId, nowMs))) return false;
    await appendAudit(trx, {
      partnerId,
      atMs: nowMs,
      actor: `appliance:${applianceId}`,
      action: 'appliance.quarantined',
      ref: appliance.siteId,
      detail: { applianceId, reason: RETIRED_KEY_USED, fingerprint },
    });
    return true;
  });
}
