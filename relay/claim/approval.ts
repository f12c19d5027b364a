import { logOrigin } from '@sitewarden/agent-proto/evidence';
import type { BoxKeys } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { issueReceipt, leaveSite } from '../custody/index.ts';
import { relayErrors } from '../errors.ts';
import type { RelayKeyring } from '../keys/index.ts';
import type { Tx } from '../store/index.ts';
import {
  applianceToRearm,
  boxToReplace,
  insertAppliance,
  releaseKey,
  replacedAppliances,
} from '../store/repositories/appliances.ts';
import { type ArrivalRow, findArrival, takeArrival } from '../store/repositories/arrivals.ts';
import { approveClaim, type ClaimRow, lockClaim } from '../store/repositories/claims.ts';
import { lockAppliance, whyRetired } from '../store/repositories/custody.ts';
import { readAppliance } from '../store/repositories/outbox.ts';
import { lockSite } from '../store/repositories/sites.ts';
import { partnerName } from '../store/repositories/staff.ts';
import { previousLog } from './previous-log.ts';
import { rearm } from './rearm.ts';

/** `agreed`: the appliance of the site somebody said may go. */
export interface ApprovalWish {
  readonly keys: RelayKeyring;
  readonly by: string;
  readonly staffId: string | null;
  readonly agreed: string | null;
  readonly nowMs: number;
}

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
 * taken out of service when it is the one somebody agreed to. The box of the site that comes back under a new key is
 * re-armed: it stays the same appliance and begins its next epoch; one that moves here has a place of its own, whatever
 * serial number it says. Answers with the ids of all appliances it touched. Throws REPLACEMENT_NOT_CONFIRMED before it
 * wrote anything, CLAIM_NOT_WAITING when another approval, a dispute or the end of its time came first,
 * BOX_CLAIMED_ELSEWHERE.
 */
export async function approve(
  trx: Tx,
  claim: ClaimRow,
  { keys, by, staffId, agreed, nowMs }: ApprovalWish,
): Promise<string[]> {
  const { partner_id: partnerId, site_id: siteId, fingerprint, serial } = claim;
  const { siteCaFingerprint, ...boxKeys } = JSON.parse(claim.keys) as BoxKeys & { siteCaFingerprint: string };
  await lockSite(trx, siteId);
  await assertReplacement(trx, { siteId, fingerprint, agreed });
  await lockClaim(trx, claim.id);
  const isMoving = (await findArrival(trx, fingerprint)) !== undefined;
  const rearmedId = isMoving ? null : await applianceToRearm(trx, { siteId, serial, fingerprint });
  const applianceId = rearmedId ?? newId('app');
  const leaving = (await replacedAppliances(trx, { siteId, fingerprint })).filter((id) => id !== rearmedId);
  for (const old of leaving) {
    const reason = `replaced by the box ${serial}`;
    await leaveSite(trx, keys, { applianceId: old, why: 'replaced', by, reason, staffId, atMs: nowMs });
  }
  const isHandedOver = (await whyRetired(trx, fingerprint)) === 'released';
  const arrival = await takeArrival(trx, fingerprint);
  // On its way to a site of somebody else it is as little to be had as in service there.
  if (arrival !== undefined && arrival.partner_id !== partnerId) throw relayErrors.make('BOX_CLAIMED_ELSEWHERE');
  if (!(await releaseKey(trx, fingerprint))) throw relayErrors.make('BOX_CLAIMED_ELSEWHERE');
  const box = {
    id: applianceId,
    partnerId,
    fingerprint,
    siteCaFingerprint,
    ...boxKeys,
    model: claim.model,
    claimedBy: claim.claimed_by,
    claimedAtMs: claim.claimed_at_ms,
  };
  if (rearmedId === null) {
    const from = arrival && (await movedFrom(trx, arrival));
    const epoch = from === undefined ? 1 : from.epoch + 1;
    const origin = logOrigin(keys.host, applianceId, epoch);
    await insertAppliance(trx, { ...box, siteId, serial, origin, epoch, movedFrom: from?.applianceId ?? null });
    // Who gave it up has a receipt, be it at another relay that this one knows nothing of; so has who takes it.
    const reason = isHandedOver ? 'claimed after its release' : 'claimed';
    await receive(trx, applianceId, { keys, by, reason, nowMs, fromSite: from?.siteName });
  } else {
    await rearm(trx, { keys, box, by, staffId, nowMs });
  }
  if (!(await approveClaim(trx, { id: claim.id, applianceId, by, nowMs }))) {
    throw relayErrors.make('CLAIM_NOT_WAITING');
  }
  await appendAudit(trx, {
    partnerId,
    atMs: nowMs,
    actor: by,
    action: 'claim.approved',
    ref: claim.id,
    detail: { siteId, applianceId, serial, fingerprint, staffId },
  });
  return [applianceId, ...leaving];
}

/** Approves, or where the site has a box that nobody agreed to part with leaves the claim to a person and answers none. */
export async function approveOrWait(trx: Tx, claim: ClaimRow, wish: ApprovalWish): Promise<string[]> {
  try {
    return await approve(trx, claim, wish);
  } catch (error) {
    if (relayErrors.is(error) && error.code === 'REPLACEMENT_NOT_CONFIRMED') return [];
    throw error;
  }
}

/** The appliance it was at the site before: its log, which it closed, goes on here. */
async function movedFrom(
  trx: Tx,
  { from_appliance: applianceId, from_site_name: siteName }: ArrivalRow,
): Promise<{ applianceId: string; epoch: number; siteName: string } | undefined> {
  const before = applianceId === null ? undefined : await readAppliance(trx, applianceId);
  if (applianceId === null || before === undefined) return undefined;
  return { applianceId, epoch: before.epoch, siteName: siteName ?? '' };
}

async function receive(
  trx: Tx,
  applianceId: string,
  {
    keys,
    by,
    reason,
    nowMs,
    fromSite,
  }: { keys: RelayKeyring; by: string; reason: string; nowMs: number; fromSite: string | undefined },
): Promise<void> {
  const box = await lockAppliance(trx, applianceId);
  if (box === undefined) return;
  const { epoch, moved_from } = box;
  const previous = await previousLog(trx, { applianceId, epoch, movedFrom: moved_from });
  const ours = (await partnerName(trx, box.partner_id)) ?? '';
  const moved = fromSite !== undefined && {
    reason: `moved here from ${fromSite}`,
    counterpart: { partnerName: ours, siteName: fromSite },
  };
  const plain = { box, kind: 'received', by, reason, atMs: nowMs } as const;
  await issueReceipt(trx, keys, { ...plain, ...moved, ...(previous && { previous }) });
}
