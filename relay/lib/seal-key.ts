import { decodeBase64Url } from '@sitewarden/agent-proto/keys';
import nacl from 'tweetnacl';

/** Any scalar tells them: it is made a multiple of 8, the order of all of them. */
const PROBE = new Uint8Array(nacl.box.secretKeyLength).fill(1);

/**
 * Why a text cannot be an honest X25519 public key; undefined when nothing speaks against it. What is sealed to a point of
 * low order, in whichever of its encodings, anybody opens: the secret shared with it is zero whatever the other key is.
 */
export function sealKeyFault(seal: string): string | undefined {
  const raw = decodeBase64Url(seal);
  if (raw?.length !== nacl.box.publicKeyLength) return 'is not 32 bytes in base64url';
  return nacl.scalarMult(PROBE, raw).every((byte) => byte === 0) ? 'has low order' : undefined;
}
