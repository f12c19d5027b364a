import type { ProvisionAnswer, ProvisionGrant } from '@sitewarden/agent-proto/http';
import { issueSiteConfig } from '../keys/index.ts';
import type { RelayKeyring } from '../keys/types.ts';
import type { Tx } from '../store/index.ts';
import { type ClaimRow, claimProgress, type OfferRow } from '../store/repositories/claims.ts';
import { hasCheckedIn } from '../store/repositories/live.ts';
import { readAppliance } from '../store/repositories/outbox.ts';
import { partnerName } from '../store/repositories/staff.ts';
import { stateAt } from './machine.ts';
import { previousLog } from './previous-log.ts';
import { claimOf, unclaimedOf } from './view.ts';

/** How soon a box asks again: a technician stands before it and waits. */
const POLL_AFTER_MS = 2000;

/** What a box gets that waits for somebody to claim it. The number is known: it has revealed its nonce. */
export function unclaimedAnswer(offer: OfferRow & { number: string }, nowMs: number): ProvisionAnswer {
  return {
    session: offer.id,
    state: stateAt(unclaimedOf(offer), nowMs),
    relayNonce: offer.relay_nonce,
    number: offer.number,
    pollAfterMs: POLL_AFTER_MS,
  };
}

/** What a claimed box gets: nothing is granted before the approval, and then every time the same. */
export async function claimAnswer(
  trx: Tx,
  claim: ClaimRow,
  { keys, nowMs }: { keys: RelayKeyring; nowMs: number },
): Promise<ProvisionAnswer> {
  const state = stateAt(claimOf(claim), nowMs);
  const answer = {
    session: claim.id,
    state,
    relayNonce: claim.relay_nonce,
    number: claim.number,
    pollAfterMs: POLL_AFTER_MS,
  };
  const { appliance_id: applianceId, approved_at_ms: approvedAtMs } = claim;
  const isGranted = state === 'approved' || state === 'acknowledged';
  if (!isGranted || applianceId === null || approvedAtMs === null) return answer;
  const appliance = await readAppliance(trx, applianceId);
  // Since then it was re-armed: what belongs to the new key is not told to the old one.
  if (appliance === undefined || appliance.fingerprint !== claim.fingerprint) return answer;
  // It is in service: from here on settings are asked for with the newest check-in token, which a copy does not have.
  if (await hasCheckedIn(trx, applianceId)) return answer;
  const { epoch } = appliance;
  const previous = await previousLog(trx, { applianceId, epoch, movedFrom: appliance.movedFrom });
  const { envelope } = await issueSiteConfig(trx, keys, { applianceId, nowMs: approvedAtMs });
  const { siteName } = await claimProgress(trx, claim.site_id, null);
  const grant: ProvisionGrant = {
    applianceId,
    siteId: claim.site_id,
    siteName,
    partnerName: (await partnerName(trx, claim.partner_id)) ?? '',
    epoch,
    claimedBy: claim.claimed_by,
    claimedAtMs: claim.claimed_at_ms,
    codeId: claim.code_id ?? claim.id,
    config: envelope,
    relayKeys: keys.publishedText,
    ...(previous && { previous }),
  };
  return { ...answer, grant };
}
