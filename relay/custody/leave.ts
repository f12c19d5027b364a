import { appendAudit } from '../audit/index.ts';
import type { ReceiptKeys } from '../keys/types.ts';
import type { Tx } from '../store/index.ts';
import { revokeAppliance } from '../store/repositories/appliances.ts';
import { retireKeys } from '../store/repositories/box-keys.ts';
import {
  type ApplianceRow,
  findRelease,
  lockAppliance,
  moveRelease,
  type RetiredReason,
} from '../store/repositories/custody.ts';
import { decideRelease, type ReleaseState } from './machine.ts';
import { issueReceipt } from './receipts.ts';

/** Whoever takes a box off its site in another way ends a release that waits for it. The caller holds the appliance. */
export async function overtakeRelease(trx: Tx, box: ApplianceRow, atMs: number): Promise<void> {
  const release = box.release_id === null ? undefined : await findRelease(trx, box.release_id);
  if (release === undefined) return;
  const verdict = decideRelease(release.state as ReleaseState, { type: 'overtake' });
  if (verdict.ok && verdict.isNew) await moveRelease(trx, release, { to: verdict.next, atMs });
}

/**
 * Takes a box out of service for good, tells its key why from now on, and leaves a receipt. Answers the appliance as it
 * was; undefined when it already was out of service.
 */
export async function leaveSite(
  trx: Tx,
  keys: ReceiptKeys,
  {
    applianceId,
    why,
    by,
    reason,
    staffId,
    atMs,
  }: {
    applianceId: string;
    why: Exclude<RetiredReason, 'released' | 'rearmed'>;
    by: string;
    reason: string;
    staffId: string | null;
    atMs: number;
  },
): Promise<ApplianceRow | undefined> {
  const box = await lockAppliance(trx, applianceId);
  if (box === undefined || box.state === 'revoked') return undefined;
  await overtakeRelease(trx, box, atMs);
  await retireKeys(trx, { applianceId, fingerprint: box.dik_fingerprint, why, atMs });
  await revokeAppliance(trx, box.id, atMs);
  await issueReceipt(trx, keys, { box, kind: 'removed', by, reason, atMs });
  await appendAudit(trx, {
    partnerId: box.partner_id,
    atMs,
    actor: by,
    action: why === 'removed' ? 'box.removed' : 'box.replaced',
    ref: box.site_id,
    detail: { applianceId, serial: box.serial, reason, staffId },
  });
  return box;
}
