import { createHash, randomBytes } from 'node:crypto';

/** What a stored hash belongs to. The kind is hashed too, so one kind can never serve as another. */
export const SECRET_KINDS = ['session', 'link', 'invite', 'email', 'code', 'locator', 'offer'] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

/** 256 random bits as 43 characters of base64url: session tokens, one-time links and invites. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** 128 random bits as 22 characters of base64url: nonces and what a QR code holds. */
export const newNonce = (): string => randomBytes(16).toString('base64url');

/** What is stored of a secret with enough entropy of its own: 64 hexadecimal characters. */
export function secretHash(kind: SecretKind, secret: string): string {
  return createHash('sha256').update(`${kind}:${secret}`).digest('hex');
}
