import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { relayErrors } from '../errors.ts';
import { type WithTurn, withSignInTurn, withStaffTurn } from '../lib/turns.ts';

/** What OWASP names as the least for argon2id: about 19 MiB and 50 ms of one core a guess. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
export const PASSWORD_MIN = 12;
export const PASSWORD_MAX = 128;
const PHC = /^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,3}),p=([0-9]{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** The same password typed on two keyboards is the same bytes. */
const bytesOf = (password: string): Buffer => Buffer.from(password.normalize('NFKC'));

function derive(
  withTurn: WithTurn,
  { password, ...parameters }: Omit<Argon2Parameters, 'message'> & { password: string },
): Promise<Buffer> {
  return withTurn(
    () =>
      new Promise((resolve, reject) => {
        argon2('argon2id', { message: bytesOf(password), ...parameters }, (error, key) =>
          error ? reject(error) : resolve(key),
        );
      }),
  );
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

/**
 * A PHC string with its own salt and cost. Only who is signed in or holds an invite gets here, so a flood of guesses keeps
 * nobody waiting. Throws OVERLOADED when too many wait.
 */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(SALT_BYTES);
  const hash = await derive(withStaffTurn, { password, ...COST, nonce, tagLength: HASH_BYTES });
  return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${unpadded(nonce)}$${unpadded(hash)}`;
}

/**
 * Takes the same time whether or not there is anything to compare with, so time tells nothing about accounts. Throws
 * OVERLOADED when too many wait.
 */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  const [, memory, passes, parallelism, salt = '', hash = ''] = PHC.exec(stored ?? '') ?? [];
  if (memory === undefined) {
    await derive(withSignInTurn, { password, ...COST, nonce: Buffer.alloc(SALT_BYTES), tagLength: HASH_BYTES });
    return false;
  }
  const expected = Buffer.from(hash, 'base64');
  const key = await derive(withSignInTurn, {
    password,
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    nonce: Buffer.from(salt, 'base64'),
    tagLength: expected.length,
  });
  return timingSafeEqual(key, expected);
}

/** What is wrong with a password of this person, as a sentence; undefined when nothing is. Pure. */
export function passwordFault(
  password: string,
  { email, name }: { email: string | null; name: string },
): string | undefined {
  if (!password.isWellFormed()) return 'The password holds half a character';
  const normal = password.normalize('NFKC');
  const length = [...normal].length;
  if (length < PASSWORD_MIN) return `The password has ${length} of at least ${PASSWORD_MIN} characters`;
  if (length > PASSWORD_MAX) return `The password is longer than ${PASSWORD_MAX} characters`;
  const plain = normal.trim().toLowerCase();
  if (plain === email?.normalize('NFKC').toLowerCase()) return 'The password is the e-mail address';
  if (plain === name.normalize('NFKC').toLowerCase()) return 'The password is the name';
  return undefined;
}

/** Throws PASSWORD_UNFIT naming the field. */
export function assertPassword(password: string, person: { email: string | null; name: string }, field: string): void {
  const detail = passwordFault(password, person);
  if (detail !== undefined) throw relayErrors.make('PASSWORD_UNFIT', { field, detail });
}
