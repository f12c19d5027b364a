import type { KeyTransition, KeyTransitionAnswer, KeyTransitionRequest } from '@sitewarden/agent-proto/http';
import { fingerprint } from '@sitewarden/agent-proto/keys';
import { isTransitionSigned } from '@sitewarden/agent-proto/rotation';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Box } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { announceKey, standingOf } from '../store/repositories/box-keys.ts';
import { lockAppliance } from '../store/repositories/custody.ts';

/**
 * Takes the key that is to follow the caller's. The old key stays in force until a request comes that the new one signed,
 * so that a box that never heard this answer still gets in; saying it again changes nothing. Throws
 * KEY_TRANSITION_INVALID, KEY_IN_USE, DIK_RETIRED, APPLIANCE_*.
 */
export async function announceTransition(
  trx: Tx,
  { box, request, nowMs }: { box: Box; request: KeyTransitionRequest; nowMs: number },
): Promise<KeyTransitionAnswer> {
  const { applianceId, partnerId, dik } = box;
  const next = verifiedKey({ key: 'dik', owner: applianceId, oldKey: dik, newKey: request.newKey }, request);
  const appliance = await lockAppliance(trx, applianceId);
  if (appliance === undefined) throw relayErrors.make('APPLIANCE_UNKNOWN');
  if (appliance.state === 'revoked') throw relayErrors.make('APPLIANCE_REVOKED');
  // Looked up before this transaction: the box may have been given another key since.
  if (appliance.dik_fingerprint !== box.fingerprint) throw relayErrors.make('DIK_RETIRED');
  // Which of two copies may choose the next key is for staff to decide first; then the machine they named goes first.
  const isChosen = appliance.genuine_until_ms !== null && nowMs < appliance.genuine_until_ms;
  if (appliance.state !== 'active' || isChosen) throw relayErrors.make('APPLIANCE_QUARANTINED');
  const standing = await standingOf(trx, { fingerprint: next, applianceId });
  if (standing === 'taken') throw relayErrors.make('KEY_IN_USE', { field: '/newKey' });
  if (standing === 'free') {
    await announceKey(trx, { applianceId, partnerId, fingerprint: next, publicKey: request.newKey, atMs: nowMs });
    const { oldSignature, newSignature, newKey } = request;
    await appendAudit(trx, {
      partnerId,
      atMs: nowMs,
      actor: `appliance:${applianceId}`,
      action: 'appliance.dik_announced',
      ref: appliance.site_id,
      // With both signatures, so that the event proves itself.
      detail: { applianceId, oldKey: dik, newKey, oldSignature, newSignature },
    });
  }
  return { fingerprint: next };
}

function verifiedKey(transition: KeyTransition, { oldSignature, newSignature }: KeyTransitionRequest): string {
  const fault = (field: string) => relayErrors.make('KEY_TRANSITION_INVALID', { field });
  if (transition.newKey === transition.oldKey) throw fault('/newKey');
  if (!isTransitionSigned(transition, 'old', oldSignature)) throw fault('/oldSignature');
  if (!isTransitionSigned(transition, 'new', newSignature)) throw fault('/newSignature');
  return fingerprint(transition.newKey);
}
