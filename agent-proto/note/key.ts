import type { KeyObject } from 'node:crypto';
import * as crypto from 'node:crypto';
import { ProtoError } from '../errors/index.ts';
import { decodeBase64, publicKeyFromRaw, RAW_KEY_BYTES, rawKeyBytes } from '../keys/index.ts';

/** Signature type bytes of C2SP signed-note that we speak. */
export const NOTE_KEY_TYPES = { ed25519: 0x01, cosignature: 0x04 } as const;

export type NoteKeyType = (typeof NOTE_KEY_TYPES)[keyof typeof NOTE_KEY_TYPES];

/** A known key: `publicKey` is the wire form (base64url), `keyHash` the 32-bit key id, `key` the imported key. */
export type NoteVerifier = { name: string; type: NoteKeyType; keyHash: number; publicKey: string; key: KeyObject };

const MAX_NAME_CHARS = 255;
const VKEY = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/;

/** Non-empty, no Unicode space, no plus, no control character, at most 255 characters. */
export function isKeyName(name: string): boolean {
  return name.length <= MAX_NAME_CHARS && /^[^\s\p{White_Space}\p{Cc}+]+$/u.test(name) && name.isWellFormed();
}

export function assertKeyName(name: string): string {
  if (!isKeyName(name))
    throw new ProtoError('NOTE_FORMAT', 'The key name is empty, too long, or holds a space or plus');
  return name;
}

/** First 32 bits of SHA-256(name || "\n" || type || raw key). Throws KEY_FORMAT. */
export function keyHash(name: string, type: NoteKeyType, publicKey: string): number {
  const preimage = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([type]), rawKeyBytes(publicKey)]);
  return crypto.hash('sha256', preimage, 'buffer').readUInt32BE(0);
}

/** Makes a verifier; `type` says what the key signs: notes (default) or cosignatures. Throws NOTE_FORMAT, KEY_FORMAT. */
export function verifierOf(input: { name: string; publicKey: string; type?: NoteKeyType }): NoteVerifier {
  const { name, publicKey, type = NOTE_KEY_TYPES.ed25519 } = input;
  assertKeyName(name);
  return { name, type, keyHash: keyHash(name, type, publicKey), publicKey, key: publicKeyFromRaw(publicKey) };
}

/** `name+hash+base64(type || raw key)`. Throws NOTE_FORMAT, KEY_FORMAT. */
export function encodeVkey(input: { name: string; publicKey: string; type?: NoteKeyType }): string {
  const { name, publicKey, type = NOTE_KEY_TYPES.ed25519 } = input;
  assertKeyName(name);
  const hash = keyHash(name, type, publicKey).toString(16).padStart(8, '0');
  const material = Buffer.concat([Buffer.from([type]), rawKeyBytes(publicKey)]);
  return `${name}+${hash}+${material.toString('base64')}`;
}

/** Reads a vkey of either type. Throws VKEY_FORMAT, also when the hash is not the key's own, and KEY_FORMAT. */
export function parseVkey(text: string): NoteVerifier {
  const [, name, hash, encoded] = VKEY.exec(text) ?? [];
  const material = encoded === undefined ? undefined : decodeBase64(encoded);
  if (!name || !isKeyName(name) || material?.length !== 1 + RAW_KEY_BYTES) throw new ProtoError('VKEY_FORMAT');
  const type = Object.values(NOTE_KEY_TYPES).find((known) => known === material[0]);
  if (type === undefined) throw new ProtoError('VKEY_FORMAT', `Key type ${material[0]} is neither 1 nor 4`);
  const verifier = verifierOf({ name, type, publicKey: material.subarray(1).toString('base64url') });
  if (verifier.keyHash !== Number.parseInt(hash as string, 16)) {
    throw new ProtoError('VKEY_FORMAT', 'The hash does not belong to the key');
  }
  return verifier;
}
