import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import { normalEmail } from '../lib/emails.ts';
import type { Tenant } from '../lib/identity.ts';
import { secretHash } from '../lib/secrets.ts';
import type { Store, Tx } from '../store/index.ts';
import { enterSecret } from '../store/repositories/directory.ts';
import {
  endSessionsOf,
  findCredentials,
  lockPeople,
  sessionBeginning,
  setCredentials,
} from '../store/repositories/people.ts';
import { assertPassword, hashPassword } from './password.ts';
import { assertOwnPassword } from './password-sign-in.ts';

/** So long after a one-time link the forgotten password may be replaced: the link was the proof. */
const LINK_COUNTS_FOR_MS = 15 * 60_000;

/** Whether a change must say the present password. Pure. */
export function needsCurrent(
  hasPassword: boolean,
  session: { beganWith: string; createdAtMs: number } | undefined,
  nowMs: number,
): boolean {
  if (!hasPassword) return false;
  return session?.beganWith !== 'link' || nowMs >= session.createdAtMs + LINK_COUNTS_FOR_MS;
}

/** An e-mail is one person's on the whole relay. Throws EMAIL_TAKEN. */
export async function enterEmail(
  trx: Tx,
  { email, partnerId, staffId }: { email: string; partnerId: string; staffId: string },
): Promise<void> {
  const isFree = await enterSecret(trx, { kind: 'email', hash: secretHash('email', email), partnerId, refId: staffId });
  if (!isFree) throw relayErrors.make('EMAIL_TAKEN', { field: '/email' });
}

/**
 * Sets the password of who asks, and with the first one the e-mail they sign in with; their other sessions end. Throws
 * PASSWORD_UNFIT, PASSWORD_WRONG, EMAIL_NEEDED, EMAIL_TAKEN, SIGN_IN_LOCKED, OVERLOADED, BODY_INVALID.
 */
export async function changeOwnPassword(
  store: Store,
  {
    tenant,
    wish,
    ip,
    nowMs,
  }: { tenant: Tenant; wish: { current?: string; next: string; email?: string }; ip: string; nowMs: number },
): Promise<void> {
  const { partnerId, staffId, actor, sessionHash } = tenant;
  const before = await store.inTenant(partnerId, async (trx) => ({
    person: await findCredentials(trx, staffId),
    session: await sessionBeginning(trx, sessionHash),
  }));
  const { person } = before;
  if (person === undefined) throw relayErrors.make('UNAUTHENTICATED');
  const asked = wish.email === undefined ? undefined : normalEmail(wish.email);
  if (person.email !== null && asked !== undefined && asked !== person.email) {
    throw relayErrors.make('BODY_INVALID', { field: '/email', detail: 'You have an e-mail address already' });
  }
  const email = person.email ?? asked;
  if (email === undefined) throw relayErrors.make('EMAIL_NEEDED', { field: '/email' });
  assertPassword(wish.next, { email, name: person.name }, '/next');
  if (person.passwordHash !== null && needsCurrent(true, before.session, nowMs)) {
    const { current: password = '' } = wish;
    const trier = { account: email, ip };
    await assertOwnPassword(store, { password, stored: person.passwordHash, trier, nowMs });
  }
  const passwordHash = await hashPassword(wish.next);
  await store.inTenant(partnerId, async (trx) => {
    await lockPeople(trx, partnerId);
    const now = await findCredentials(trx, staffId);
    if (now === undefined) throw relayErrors.make('UNAUTHENTICATED');
    if (now.passwordHash !== person.passwordHash || now.email !== person.email) throw relayErrors.make('CONFLICT');
    if (person.email === null) await enterEmail(trx, { email, partnerId, staffId });
    await setCredentials(trx, { id: staffId, email, passwordHash, nowMs });
    const ended = await endSessionsOf(trx, staffId, sessionHash);
    const detail = { isFirst: person.passwordHash === null, endedSessions: ended };
    await appendAudit(trx, { partnerId, atMs: nowMs, actor, action: 'password.changed', ref: staffId, detail });
  });
}
