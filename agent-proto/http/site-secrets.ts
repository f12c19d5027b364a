import { type Static, Type } from '@sinclair/typebox';
import { closed, Id, PublicKey, UnixMs } from './common.ts';

/** All of a site's secrets travel in one signed configuration of at most 60,000 bytes. */
export const SECRET_LIMITS = { count: 16, valueBytes: 4096, sealedChars: 24_000 } as const;

export const SecretName = Type.String({
  pattern: '^[a-z0-9][a-z0-9._-]{0,63}$',
  description: 'small letters, digits and . _ -',
});

/**
 * `box`: base64url of the public half of a key made for this message, the 24 bytes of nonce, and the ciphertext of
 * `nacl.box` over a SecretContent, to the box's `seal` key.
 */
export const SealedSecret = closed({
  name: SecretName,
  sealedTo: PublicKey,
  box: Type.String({ pattern: '^[A-Za-z0-9_-]{96,}$', maxLength: 24_000 }),
  setAtMs: UnixMs,
});
export type SealedSecret = Static<typeof SealedSecret>;

/** What is sealed. It is for this site and this name alone. */
export const SecretContent = closed({ siteId: Id('site'), name: SecretName, value: Type.String({ minLength: 1 }) });
export type SecretContent = Static<typeof SecretContent>;
