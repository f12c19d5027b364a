import { relayErrors } from '../errors.ts';
import { normalEmail } from '../lib/emails.ts';
import { secretHash } from '../lib/secrets.ts';
import type { Store, Tx } from '../store/index.ts';
import { findSecret } from '../store/repositories/directory.ts';
import { type Credentials, findCredentials, lockPeople } from '../store/repositories/people.ts';
import { openSession, type SignedIn } from './open-session.ts';
import { isPassword } from './password.ts';
import { type PaidTry, payForSignIn, type Trier } from './sign-in-budget.ts';

/** A tenant and person nobody is: looked up in place of one that is not there, so that both cost the same. */
const NOBODY = { partnerId: 'ptn_nobody', refId: 'stf_nobody' } as const;

/** Looks at a password that was paid for; what could not be looked at is given back. */
async function look(password: string, stored: string | null, { paid, nowMs }: { paid: PaidTry; nowMs: number }) {
  try {
    return await isPassword(password, stored);
  } catch (error) {
    await paid.giveBack({ wasRight: false, nowMs });
    throw error;
  }
}

/**
 * Trades e-mail and password for a session. Throws SIGN_IN_FAILED, the same for an e-mail nobody has, a person who is
 * disabled or has no password, and a password that is wrong; SIGN_IN_LOCKED, OVERLOADED.
 */
export async function signInWithPassword(
  store: Store,
  { email, password, ip, nowMs }: { email: string; password: string; ip: string; nowMs: number },
): Promise<SignedIn> {
  const account = normalEmail(email);
  const paid = await payForSignIn(store, { account, ip }, nowMs);
  const known = await store.system((trx) => findSecret(trx, 'email', secretHash('email', account)));
  const { partnerId, refId } = known ?? NOBODY;
  const person = await store.inTenant(partnerId, (trx) => findCredentials(trx, refId));
  const isRight = await look(password, person?.passwordHash ?? null, { paid, nowMs });
  if (!isRight || person === undefined) throw relayErrors.make('SIGN_IN_FAILED');
  const signedIn = await store.inTenant(partnerId, async (trx) => {
    if (!(await isStill(trx, partnerId, person))) throw relayErrors.make('SIGN_IN_FAILED');
    return openSession(trx, person, { partnerId, beganWith: 'password', nowMs });
  });
  await paid.giveBack({ wasRight: true, nowMs });
  return signedIn;
}

/** Nobody was disabled and no password changed while it was looked at. */
async function isStill(trx: Tx, partnerId: string, before: Credentials): Promise<boolean> {
  await lockPeople(trx, partnerId);
  return (await findCredentials(trx, before.id))?.passwordHash === before.passwordHash;
}

/** Whoever found an open session must not try passwords without end. Throws PASSWORD_WRONG, SIGN_IN_LOCKED. */
export async function assertOwnPassword(
  store: Store,
  { password, stored, trier, nowMs }: { password: string; stored: string; trier: Trier; nowMs: number },
): Promise<void> {
  const paid = await payForSignIn(store, trier, nowMs);
  if (!(await look(password, stored, { paid, nowMs }))) {
    throw relayErrors.make('PASSWORD_WRONG', { field: '/current' });
  }
  await paid.giveBack({ wasRight: true, nowMs });
}
