import { appendAudit } from '../audit/index.ts';
import type { Store } from '../store/index.ts';
import { type FirstUse, promoteKey } from '../store/repositories/box-keys.ts';

/**
 * The first use of the announced key: from the commit on the old one is refused. Does nothing the second time, nor while
 * staff have to decide which of two copies is the box.
 */
export async function promoteNextKey(
  store: Store,
  key: {
    applianceId: string;
    partnerId: string;
    fingerprint: string;
    follows: string;
    publicKey: string;
    by: FirstUse;
    atMs: number;
  },
): Promise<void> {
  const { applianceId, partnerId, fingerprint, atMs } = key;
  await store.inTenant(partnerId, async (trx) => {
    const done = await promoteKey(trx, key);
    if (done === undefined) return;
    await appendAudit(trx, {
      partnerId,
      atMs,
      actor: `appliance:${applianceId}`,
      action: 'appliance.dik_rotated',
      ref: done.siteId,
      detail: { applianceId, retired: done.retired, inForce: fingerprint },
    });
  });
}
