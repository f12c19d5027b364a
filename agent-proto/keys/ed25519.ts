import * as crypto from 'node:crypto';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ProtoError } from '../errors/index.ts';
import { decodeBase64Url } from './base64.ts';
import { pointFault } from './point.ts';

/** A fresh key pair: `publicKey` is the raw 32 bytes in base64url, `privateKeyPem` is PKCS #8. */
export type KeyPair = { publicKey: string; privateKeyPem: string };

const RAW_KEY_CHARS = 43;
export const RAW_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

export function generateEd25519(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: rawPublicKey(publicKey),
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  };
}

/** The raw 32 bytes behind the wire form. Throws KEY_FORMAT for another length, alphabet, or a degenerate point. */
export function rawKeyBytes(b64url: string): Buffer {
  const raw = typeof b64url === 'string' && b64url.length === RAW_KEY_CHARS ? decodeBase64Url(b64url) : undefined;
  if (!raw) throw new ProtoError('KEY_FORMAT', 'publicKey is not 43 characters of canonical base64url');
  const fault = pointFault(raw);
  if (fault) throw new ProtoError('KEY_FORMAT', fault);
  return raw;
}

/** Imports a wire key. Costs tens of microseconds: keep the KeyObject. Throws KEY_FORMAT. */
export function publicKeyFromRaw(b64url: string): KeyObject {
  rawKeyBytes(b64url);
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: b64url }, format: 'jwk' });
}

/** Imports a PKCS #8 PEM. Throws KEY_FORMAT for anything but an Ed25519 private key; the text never enters the error. */
export function privateKeyFromPem(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new ProtoError('KEY_FORMAT', 'The private key is not readable PKCS #8 PEM');
  }
  return assertEd25519(key);
}

// Deriving a public half costs as much as a signature; signers ask for it each time.
const rawByKey = new WeakMap<KeyObject, string>();

/** The wire form of a public key; given a private key, of its public half. Throws KEY_FORMAT for other key types. */
export function rawPublicKey(key: KeyObject): string {
  const known = rawByKey.get(key);
  if (known !== undefined) return known;
  const jwk = (assertEd25519(key).type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  rawByKey.set(key, jwk.x as string);
  return jwk.x as string;
}

/** base64url(SHA-256(raw 32 bytes)), 43 characters: how a key is named on the wire. Throws KEY_FORMAT. */
export function fingerprint(rawB64url: string): string {
  return crypto.hash('sha256', rawKeyBytes(rawB64url), 'base64url');
}

export function sign(privateKey: KeyObject, bytes: Uint8Array): Uint8Array {
  return crypto.sign(null, bytes, privateKey);
}

/** The same on the thread pool: frees the event loop, gains a core. */
export function signAsync(privateKey: KeyObject, bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    crypto.sign(null, bytes, privateKey, (error, signature) => (error ? reject(error) : resolve(signature)));
  });
}

/** True only for a 64-byte signature with S below the group order (RFC 8032, 5.1.7); never throws on a bad signature. */
export function verify(publicKey: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && crypto.verify(null, bytes, publicKey, signature);
}

/** The same on the thread pool. */
export function verifyAsync(publicKey: KeyObject, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (signature.length !== SIGNATURE_BYTES) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    crypto.verify(null, bytes, publicKey, signature, (error, isValid) => (error ? reject(error) : resolve(isValid)));
  });
}

function assertEd25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ed25519') throw new ProtoError('KEY_FORMAT', 'The key is not Ed25519');
  return key;
}
