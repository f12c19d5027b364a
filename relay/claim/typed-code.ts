import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';
import { CODE_ALPHABET } from '@sitewarden/agent-proto/http';
import { type WithTurn, withCodeGuessTurn, withStaffTurn } from '../lib/turns.ts';

const LOCATOR_CHARS = 4;
const SECRET_CHARS = 10;
/** About 30 ms of one core and 16 MiB. */
const COST = { N: 16_384, r: 8, p: 1 } as const;
const HASH_BYTES = 32;

function letters(count: number): string {
  return Array.from({ length: count }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('');
}

export const newLocator = (): string => letters(LOCATOR_CHARS);
export const newTypedSecret = (): string => letters(SECRET_CHARS);

/** As a person reads it: BCDF-GHJKL-MNPQR. */
export function typedForm(locator: string, secret: string): string {
  return [locator, secret.slice(0, 5), secret.slice(5)].join('-');
}

function derive(withTurn: WithTurn, { secret, salt }: { secret: string; salt: Buffer }): Promise<Buffer> {
  return withTurn(
    () =>
      new Promise((resolve, reject) => {
        scrypt(secret, salt, HASH_BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)));
      }),
  );
}

export interface TypedHash {
  readonly salt: string;
  readonly hash: string;
}

export async function hashTyped(secret: string): Promise<TypedHash> {
  const salt = randomBytes(16);
  return {
    salt: salt.toString('base64url'),
    hash: (await derive(withStaffTurn, { secret, salt })).toString('base64url'),
  };
}

/** Takes the same time whether or not there is anything to compare with, so time tells nothing about locators. */
export async function isTypedSecret(secret: string, stored: TypedHash | undefined): Promise<boolean> {
  const key = await derive(withCodeGuessTurn, {
    secret,
    salt: stored ? Buffer.from(stored.salt, 'base64url') : Buffer.alloc(16),
  });
  const expected = stored ? Buffer.from(stored.hash, 'base64url') : Buffer.alloc(HASH_BYTES);
  return timingSafeEqual(key, expected) && stored !== undefined;
}
