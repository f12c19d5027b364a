import type { SecretContent } from '@sitewarden/agent-proto/http';
import { decodeBase64Url } from '@sitewarden/agent-proto/keys';
import nacl from 'tweetnacl';
import { relayErrors } from '../errors.ts';
import { sealKeyFault } from '../lib/seal-key.ts';

/**
 * `nacl.box` by a key made for this one message and forgotten: its public half, the nonce and the ciphertext, base64url.
 * Nobody but the box opens it, not even who sealed it. Throws SECRET_KEY_UNFIT.
 */
export function sealTo(seal: string, content: SecretContent): string {
  const publicKey = decodeBase64Url(seal);
  if (publicKey === undefined || sealKeyFault(seal) !== undefined) throw relayErrors.make('SECRET_KEY_UNFIT');
  const once = nacl.box.keyPair();
  const nonce = nacl.randomBytes(nacl.box.nonceLength);
  const plain = Buffer.from(JSON.stringify(content), 'utf8');
  const ciphertext = nacl.box(plain, nonce, publicKey, once.secretKey);
  for (const bytes of [plain, once.secretKey]) bytes.fill(0);
  return Buffer.concat([once.publicKey, nonce, ciphertext]).toString('base64url');
}
