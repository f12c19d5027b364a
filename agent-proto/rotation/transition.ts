import { canonicalBytes } from '../canonical/index.ts';
import { pae } from '../dsse/index.ts';
import { type KeyTransition, PAYLOAD_TYPES } from '../http/index.ts';
import { decodeBase64Url, publicKeyFromRaw, verify } from '../keys/index.ts';

/** The bytes both keys sign. */
export function transitionBytes({ key, owner, oldKey, newKey }: KeyTransition): Uint8Array {
  return pae(PAYLOAD_TYPES.keyTransition, canonicalBytes({ key, owner, oldKey, newKey }));
}

/** Whether this key, the old or the new one, signed the transition (base64url). Never throws. */
export function isTransitionSigned(transition: KeyTransition, by: 'old' | 'new', signature: string): boolean {
  const bytes = decodeBase64Url(signature);
  if (bytes === undefined) return false;
  try {
    const key = publicKeyFromRaw(by === 'old' ? transition.oldKey : transition.newKey);
    return verify(key, transitionBytes(transition), bytes);
  } catch {
    return false;
  }
}
