import type { KeyObject } from 'node:crypto';
import { encodeEnvelope, signEnvelope } from '@sitewarden/agent-proto/dsse';
import { type SignedHeaders, signRequest } from '@sitewarden/agent-proto/http-signature';
import { fingerprint, generateEd25519, privateKeyFromPem, rawPublicKey, sign } from '@sitewarden/agent-proto/keys';
import { signCheckpoint, type TreeHead } from '@sitewarden/agent-proto/note';
import { loadOrMake } from './key-files.ts';

export interface PublicKeyInfo {
  /** Raw 32 bytes, base64url. */
  readonly publicKey: string;
  /** base64url SHA-256 of the raw key; names the key on the wire. */
  readonly fingerprint: string;
}

/** `dik`: every request to the relay, and receipts. */
export interface DeviceKey extends PublicKeyInfo {
  signRequest(input: {
    method: string;
    url: string;
    body: Uint8Array | string;
    createdS: number;
    nonce: string;
  }): SignedHeaders;
  /** The bytes of a DSSE envelope. */
  envelope(payloadType: string, payload: Uint8Array): Uint8Array;
}

/** `evk`: evidence only. */
export interface EvidenceKey extends PublicKeyInfo {
  sign(bytes: Uint8Array): Uint8Array;
  /** The key itself, to be posted to a thread of this process (evidenceKeyOf makes it of use there) and to nobody else. */
  forThread(): KeyObject;
  /** A signed note over the tree head. */
  checkpoint(head: TreeHead): string;
}

const info = (key: KeyObject): PublicKeyInfo => {
  const publicKey = rawPublicKey(key);
  return { publicKey, fingerprint: fingerprint(publicKey) };
};

const load = (dir: string, name: string): Promise<KeyObject> =>
  loadOrMake({ dir, name, parse: privateKeyFromPem, make: () => generateEd25519().privateKeyPem });

export async function loadDeviceKey(dir: string): Promise<DeviceKey> {
  const key = await load(dir, 'dik.pem');
  const known = info(key);
  return {
    ...known,
    signRequest: (input) => signRequest({ ...input, keyId: known.fingerprint, privateKey: key }),
    envelope: (payloadType, payload) =>
      encodeEnvelope(
        signEnvelope({ payloadType, payload, keyId: known.fingerprint, sign: (bytes) => sign(key, bytes) }),
      ),
  };
}

export const loadEvidenceKey = async (dir: string): Promise<EvidenceKey> => evidenceKeyOf(await load(dir, 'evk.pem'));

export function evidenceKeyOf(key: KeyObject): EvidenceKey {
  return {
    ...info(key),
    sign: (bytes) => sign(key, bytes),
    forThread: () => key,
    checkpoint: (head) => signCheckpoint(head, { privateKey: key }),
  };
}
