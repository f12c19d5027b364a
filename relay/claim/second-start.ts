import { appendAudit } from '../audit/index.ts';
import { MOVED_KEY_ASKED_AGAIN } from '../lib/alarms.ts';
import { openArrivalClaim, partnerOfKey } from '../store/repositories/arrivals.ts';
import { disputeClaim } from '../store/repositories/claims.ts';
import { quarantine } from '../store/repositories/live.ts';
import { announce, type ClaimDeps } from './deps.ts';

/**
 * A box keeps its session until it has its grant, so one that was moved asks once. A second start under its key before
 * the first check-in is a second machine: a claim that waits cannot be approved any more, a box that arrived stops.
 */
export async function disputeSecondStart(deps: ClaimDeps, fingerprint: string, nowMs: number): Promise<void> {
  const { store } = deps;
  const partnerId = await store.system((trx) => partnerOfKey(trx, fingerprint));
  if (partnerId === undefined) return;
  const disputed = await store.inTenant(partnerId, async (trx) => {
    const claim = await openArrivalClaim(trx, { fingerprint, nowMs });
    if (claim === undefined) return undefined;
    const { id, site_id: siteId, appliance_id: applianceId } = claim;
    const said = { partnerId, atMs: nowMs, actor: 'box' };
    if (await disputeClaim(trx, id, nowMs)) {
      const detail = { siteId, fingerprint, reason: MOVED_KEY_ASKED_AGAIN };
      await appendAudit(trx, { ...said, action: 'claim.disputed', ref: id, detail });
    }
    if (applianceId === null || !(await quarantine(trx, applianceId, nowMs))) return { siteId, appliances: [] };
    const detail = { applianceId, reason: MOVED_KEY_ASKED_AGAIN };
    await appendAudit(trx, { ...said, action: 'appliance.quarantined', ref: siteId, detail });
    return { siteId, appliances: [applianceId] };
  });
  if (disputed !== undefined) announce(deps, { partnerId, ...disputed }, nowMs);
}
