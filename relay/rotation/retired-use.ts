import { appendAudit } from '../audit/index.ts';
import type { Store } from '../store/index.ts';
import { lastUseOf, noteUse } from '../store/repositories/box-keys.ts';
import { lockAppliance } from '../store/repositories/custody.ts';
import { quarantine } from '../store/repositories/live.ts';

/** A request signed before the change may still be on its way, and its clock may be off by as much as the skew allows. */
export const LATE_REQUEST_MS = 10 * 60_000;

export const RETIRED_KEY_USED = 'a device key that was replaced is still used';

/** After the first time, uses of one key are written down this often at most: whoever has it may try all day. */
const NOTE_EVERY_MS = 24 * 60 * 60_000;

/**
 * Somebody signed with a key its box gave up: a copy from before the change, or the box itself if the copy changed the
 * key first. Which is which staff decide, so what is in service under the new key is quarantined: once for each key.
 * Once staff have decided, a key that opens nothing cannot stop the box again; a re-arm decides too. Answers whether
 * the box was quarantined.
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
    const isDue = (last: number | null) => last === null || Math.abs(nowMs - last) >= NOTE_EVERY_MS;
    const known = await lastUseOf(trx, use);
    // Most uses end here, before anything is locked.
    if (known === undefined || !isDue(known.atMs)) return false;
    const box = await lockAppliance(trx, applianceId);
    const last = await lastUseOf(trx, use);
    if (box === undefined || last === undefined || !isDue(last.atMs)) return false;
    const isDecided = last.atMs !== null || retiredAtMs < box.claimed_at_ms;
    // A box that is quarantined for another reason is stopped by this key after its release, so that staff hear of it.
    if (!isDecided && !(await quarantine(trx, applianceId, nowMs))) return false;
    await noteUse(trx, fingerprint, nowMs);
    await appendAudit(trx, {
      partnerId,
      atMs: nowMs,
      actor: `appliance:${applianceId}`,
      action: isDecided ? 'appliance.retired_key_refused' : 'appliance.quarantined',
      ref: box.site_id,
      detail: { applianceId, reason: RETIRED_KEY_USED, fingerprint },
    });
    return !isDecided;
  });
}
