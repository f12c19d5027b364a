/** Ed25519 keys: raw 32 bytes in base64url on the wire, KeyObject in memory. */
export { decodeBase64, decodeBase64Url } from './base64.ts';
export {
  fingerprint,
  generateEd25519,
  type KeyPair,
  privateKeyFromPem,
  publicKeyFromRaw,
  RAW_KEY_BYTES,
  rawKeyBytes,
  rawPublicKey,
  SIGNATURE_BYTES,
  sign,
  signAsync,
  verify,
  verifyAsync,
} from './ed25519.ts';
