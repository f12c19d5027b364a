import { createPrivateKey, type KeyObject } from 'node:crypto';
import { fingerprint, publicKeyFromRaw, rawPublicKey } from '@sitewarden/agent-proto/keys';

const PKCS8_ED25519 = '302e020100300506032b657004220420';

/** The Ed25519 private key of a 32-byte seed in hex, as RFC 8032 lists them. */
export function privateKeyFromSeed(seedHex: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(PKCS8_ED25519 + seedHex, 'hex'), format: 'der', type: 'pkcs8' });
}

export type TestKey = { privateKey: KeyObject; publicKey: KeyObject; raw: string; fingerprint: string };

/** A key pair everybody knows; the same byte always gives the same keys. */
export function testKey(byte: number): TestKey {
  const privateKey = privateKeyFromSeed(Buffer.alloc(32, byte).toString('hex'));
  const raw = rawPublicKey(privateKey);
  return { privateKey, publicKey: publicKeyFromRaw(raw), raw, fingerprint: fingerprint(raw) };
}
