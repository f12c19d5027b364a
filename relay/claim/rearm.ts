import { logOrigin } from '@sitewarden/agent-proto/evidence';
import type { BoxKeys } from '@sitewarden/agent-proto/http';
import { appendAudit } from '../audit/index.ts';
import { issueReceipt, overtakeRelease } from '../custody/index.ts';
import { relayErrors } from '../errors.ts';
import type { RelayKeyring } from '../keys/index.ts';
import type { Tx } from '../store/index.ts';
import { retireKeys } from '../store/repositories/box-keys.ts';
import { endBoxWork, lockAppliance, rearmAppliance } from '../store/repositories/custody.ts';
import { insertLog, readLog } from '../store/repositories/evidence.ts';

/** The new keys of a box and who stands for them. */
export interface RearmedBox extends Omit<BoxKeys, 'siteCaCsr'> {
  readonly id: string;
  readonly partnerId: string;
  readonly fingerprint: string;
  readonly siteCaFingerprint: string;
  readonly model: string;
  readonly claimedBy: string;
  readonly claimedAtMs: number;
}

/**
 * The same appliance goes on under another key: its old log ends where the relay cosigned it last, which the receipt
 * names, and the next epoch begins. Throws CLAIM_NOT_WAITING when it left its site meanwhile.
 */
export async function rearm(
  trx: Tx,
  input: { keys: RelayKeyring; box: RearmedBox; by: string; staffId: string | null; nowMs: number },
): Promise<void> {
  const { keys, box, by, staffId, nowMs } = input;
  const old = await lockAppliance(trx, box.id);
  if (old === undefined || old.state === 'revoked') throw relayErrors.make('CLAIM_NOT_WAITING');
  await overtakeRelease(trx, old, nowMs);
  const epoch = old.epoch + 1;
  const next = { epoch, dik: box.dik, evk: box.evk };
  await issueReceipt(trx, keys, { box: old, kind: 'rearmed', by, reason: 'the box has a new key', next, atMs: nowMs });
  await retireKeys(trx, { applianceId: box.id, fingerprint: old.dik_fingerprint, why: 'rearmed', atMs: nowMs });
  await rearmAppliance(trx, { ...box, epoch });
  await endBoxWork(trx, box.id, nowMs);
  const { partnerId } = box;
  const origin = logOrigin(keys.host, box.id, epoch);
  await insertLog(trx, { applianceId: box.id, partnerId, epoch, origin, firstKey: box.evk });
  const ended = await readLog(trx, { applianceId: box.id, epoch: old.epoch });
  await appendAudit(trx, {
    partnerId,
    atMs: nowMs,
    actor: by,
    action: 'box.rearmed',
    ref: old.site_id,
    detail: {
      applianceId: box.id,
      serial: old.serial,
      epoch,
      lastEpoch: old.epoch,
      lastSize: ended?.cosignedSize ?? 0,
      lastRoot: ended?.cosignedRoot ?? '',
      oldFingerprint: old.dik_fingerprint,
      fingerprint: box.fingerprint,
      staffId,
    },
  });
}
