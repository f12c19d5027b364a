import type { KeyObject } from 'node:crypto';
import { encodeEnvelope, signEnvelope } from '@sitewarden/agent-proto/dsse';
import type { KeyTransition } from '@sitewarden/agent-proto/http';
import { type SignedHeaders, signRequest } from '@sitewarden/agent-proto/http-signature';
import { fingerprint, generateEd25519, privateKeyFromPem, rawPublicKey, sign } from '@sitewarden/agent-proto/keys';
import { signCheckpoint, type TreeHead } from '@sitewarden/agent-proto/note';
import { transitionBytes } from '@sitewarden/agent-proto/rotation';
import { type KeyFile, type KeyFolder, loadNext, loadOrMake, loadOrMakeNext } from './key-files.ts';

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
    checkinToken?: string | undefined;
  }): SignedHeaders;
  /** base64url; the old key's half of a change of this key. */
  signTransition(transition: KeyTransition): string;
  /** The bytes of a DSSE envelope. */
  envelope(payloadType: string, payload: Uint8Array): Uint8Array;
}

/** A key that is made and not in force yet: all it signs is that it follows the present one. */
export interface NextKey extends PublicKeyInfo {
  /** base64url. */
  signTransition(transition: KeyTransition): string;
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

export const ROTATING = { dik: 'dik.pem', evk: 'evk.pem' } as const satisfies Record<KeyTransition['key'], string>;

const fileOf = (folder: KeyFolder, name: KeyTransition['key']): KeyFile<KeyObject> => ({
  ...folder,
  name: ROTATING[name],
  parse: privateKeyFromPem,
  make: () => generateEd25519().privateKeyPem,
});

const signsTransitions = (key: KeyObject) => (transition: KeyTransition) =>
  Buffer.from(sign(key, transitionBytes(transition))).toString('base64url');

export async function loadDeviceKey(folder: KeyFolder): Promise<DeviceKey> {
  const key = await loadOrMake(fileOf(folder, 'dik'));
  const known = info(key);
  return {
    ...known,
    signRequest: (input) => signRequest({ ...input, keyId: known.fingerprint, privateKey: key }),
    signTransition: signsTransitions(key),
    envelope: (payloadType, payload) =>
      encodeEnvelope(
        signEnvelope({ payloadType, payload, keyId: known.fingerprint, sign: (bytes) => sign(key, bytes) }),
      ),
  };
}

export const loadEvidenceKey = async (folder: KeyFolder): Promise<EvidenceKey> =>
  evidenceKeyOf(await loadOrMake(fileOf(folder, 'evk')));

const nextOf = (key: KeyObject): NextKey => ({ ...info(key), signTransition: signsTransitions(key) });

export const makeNextKey = async (folder: KeyFolder, name: KeyTransition['key']): Promise<NextKey> =>
  nextOf(await loadOrMakeNext(fileOf(folder, name)));

export async function findNextKey(folder: KeyFolder, name: KeyTransition['key']): Promise<NextKey | undefined> {
  const key = await loadNext(fileOf(folder, name));
  return key && nextOf(key);
}

export function evidenceKeyOf(key: KeyObject): EvidenceKey {
  return {
    ...info(key),
    sign: (bytes) => sign(key, bytes),
    forThread: () => key,
    checkpoint: (head) => signCheckpoint(head, { privateKey: key }),
  };
}
