import type { BoxKeys } from '@sitewarden/agent-proto/http';
import { Frontier } from '@sitewarden/agent-proto/merkle';
import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tx } from '../store/index.ts';
import {
  boxToReplace,
  insertAppliance,
  releaseKey,
  replacedAppliances,
  revokeAppliance,
} from '../store/repositories/appliances.ts';
import { approveClaim, type ClaimRow } from '../store/repositories/claims.ts';

const EMPTY_FRONTIER = Buffer.from(new Frontier().toBytes()).toString('base64');

/** C2SP origin of an appliance's log: host, appliance, epoch. */
export const originOf = (host: string, applianceId: string, epoch: number): string =>
  `${host}/a/${applianceId}/${epoch}`;

/**
 * Nobody takes a site's box out of service without having seen which one it is. `agreed`: the appliance a person said
 * may go. Throws REPLACEMENT_NOT_CONFIRMED naming the one that would go.
 */
export async function assertReplacement(
  trx: Tx,
  { siteId, fingerprint, agreed }: { siteId: string; fingerprint: string | null; agreed: string | null },
): Promise<void> {
  const replaces = await boxToReplace(trx, { siteId, fingerprint });
  if (replaces === null || replaces.applianceId === agreed) return;
  throw relayErrors.make('REPLACEMENT_NOT_CONFIRMED', {
    field: '/replaces',
    detail: `The site has the box ${replaces.serial}, which would be taken out of service`,
    data: { replaces },
  });
}

/**
 * Makes the appliance of a claim that may be approved, in the caller's transaction; what it replaces at the site is
 * taken out of service, for which the caller has agreement. Answers with the ids of all appliances it touched. Throws
 * CLAIM_NOT_WAITING when another approval, a dispute or the end of its time came first, BOX_CLAIMED_ELSEWHERE.
 */
export async function approve(
  trx: Tx,
  claim: ClaimRow,
  { host, by, staffId, nowMs }: { host: string; by: string; staffId: string | null; nowMs: number },
): Promise<string[]> {
  const { partner_id: partnerId, site_id: siteId, fingerprint } = claim;
  const audit = (action: string, ref: string, detail: Record<string, string>) =>
    appendAudit(trx, { partnerId, atMs: nowMs, actor: by, action, ref, detail: { ...detail, staffId } });

  const applianceId = newId('app');
  const replaced = await replacedAppliances(trx, { siteId, fingerprint });
  for (const old of replaced) await revokeAppliance(trx, old, nowMs);
  if (!(await releaseKey(trx, fingerprint))) throw relayErrors.make('BOX_CLAIMED_ELSEWHERE');

  const { siteCaFingerprint, ...keys } = JSON.parse(claim.keys) as BoxKeys & { siteCaFingerprint: string };
  await insertAppliance(trx, {
    id: applianceId,
    partnerId,
    siteId,
    fingerprint,
    siteCaFingerprint,
    ...keys,
    serial: claim.serial,
    model: claim.model,
    claimedBy: claim.claimed_by,
    claimedAtMs: claim.claimed_at_ms,
    origin: originOf(host, applianceId, 1),
    emptyFrontier: EMPTY_FRONTIER,
  });
  if (!(await approveClaim(trx, { id: claim.id, applianceId, by, nowMs }))) {
    throw relayErrors.make('CLAIM_NOT_WAITING');
  }
  // The audit comes after the claim's row everywhere: locks taken in one order cannot deadlock.
  for (const old of replaced) await audit('appliance.revoked', old, { siteId, replacedBy: applianceId });
  await audit('claim.approved', claim.id, { siteId, applianceId, serial: claim.serial, fingerprint });
  return [applianceId, ...replaced];
}
