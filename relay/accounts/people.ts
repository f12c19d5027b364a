import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import { normalEmail } from '../lib/emails.ts';
import { assertName } from '../lib/names.ts';
import type { Role } from '../lib/roles.ts';
import { newToken, secretHash } from '../lib/secrets.ts';
import type { Store, Tx } from '../store/index.ts';
import { enterSecret, findSecret, listTenants } from '../store/repositories/directory.ts';
import { endSessionsOf, findCredentials, lockPeople } from '../store/repositories/people.ts';
import {
  disableStaff,
  findStaff,
  insertLink,
  insertPartner,
  insertStaff,
  listStaff,
  type Person,
  partnerName,
  type Staff,
} from '../store/repositories/staff.ts';
import { endPowersOf } from './end-powers.ts';

export const LINK_TTL_MS = 15 * 60_000;

/** Who acts when no signed-in person does: someone with a shell on the relay. */
const CONSOLE_ACTOR = 'relay console';

export interface SignInLink {
  /** Shown once; only its hash is stored. The token stands behind `#`, which browsers never send. */
  readonly url: string;
  readonly partnerId: string;
  readonly staffId: string;
  readonly expiresAtMs: number;
}

export async function hasTenants(store: Store): Promise<boolean> {
  return (await store.system(listTenants)).length > 0;
}

/** A new MSP with nobody in it. */
export async function createPartner(store: Store, { name, nowMs }: { name: string; nowMs: number }): Promise<string> {
  assertName(name, 'create-partner', 'CONFIG_INVALID');
  const partnerId = newId('ptn');
  await store.inTenant(partnerId, async (trx) => {
    await insertPartner(trx, { partnerId, name, nowMs });
    await appendAudit(trx, {
      partnerId,
      atMs: nowMs,
      actor: CONSOLE_ACTOR,
      action: 'partner.created',
      ref: partnerId,
      detail: { name },
    });
  });
  return partnerId;
}

/**
 * A one-time link for the person with that e-mail address, of whatever partner: the way back in without a password.
 * Throws NOT_FOUND.
 */
export async function createLinkByEmail(
  store: Store,
  input: { publicUrl: string; email: string; nowMs: number },
): Promise<SignInLink & { name: string; role: Role }> {
  const { publicUrl, nowMs } = input;
  const hash = secretHash('email', normalEmail(input.email));
  const owner = await store.system((trx) => findSecret(trx, 'email', hash));
  const nobody = () => relayErrors.make('NOT_FOUND', { detail: 'Nobody who may sign in has this e-mail address' });
  if (owner === undefined) throw nobody();
  const { partnerId, refId } = owner;
  return store.inTenant(partnerId, async (trx) => {
    const person = await findCredentials(trx, refId);
    if (person === undefined) throw nobody();
    const { name, role } = person;
    return { ...(await addLink(trx, { partnerId, person, publicUrl, nowMs })), name, role };
  });
}

/**
 * A one-time link for a person, who is made when the partner has nobody of that name and role. Without `partnerId` there
 * must be exactly one partner. Throws PARTNER_UNKNOWN, CONFIG_INVALID for a name nobody can read.
 */
export async function createSignInLink(
  store: Store,
  input: { publicUrl: string; role: Role; name: string; partnerId?: string | undefined; nowMs: number },
): Promise<SignInLink> {
  assertName(input.name, 'name', 'CONFIG_INVALID');
  const { publicUrl, role, name, nowMs } = input;
  const partnerId = input.partnerId ?? (await onlyPartner(store));
  return store.inTenant(partnerId, async (trx) => {
    if ((await partnerName(trx, partnerId)) === undefined) throw relayErrors.make('PARTNER_UNKNOWN');
    const person =
      (await findStaff(trx, partnerId, { name, role })) ?? (await hire(trx, { partnerId, name, role, nowMs }));
    return addLink(trx, { partnerId, person, publicUrl, nowMs });
  });
}

async function addLink(
  trx: Tx,
  { partnerId, person, publicUrl, nowMs }: { partnerId: string; person: Staff; publicUrl: string; nowMs: number },
): Promise<SignInLink> {
  const { id: staffId, name, role } = person;
  const token = newToken();
  const hash = secretHash('link', token);
  const expiresAtMs = nowMs + LINK_TTL_MS;
  await insertLink(trx, { hash, partnerId, staffId, nowMs, expiresAtMs });
  await enterSecret(trx, { kind: 'link', hash, partnerId, refId: staffId });
  const who = { partnerId, atMs: nowMs, actor: CONSOLE_ACTOR };
  await appendAudit(trx, { ...who, action: 'link.created', ref: staffId, detail: { name, role } });
  return { url: `${publicUrl}/sign-in#${token}`, partnerId, staffId, expiresAtMs };
}

async function hire(trx: Tx, input: { partnerId: string; name: string; role: Role; nowMs: number }) {
  const { partnerId, name, role, nowMs } = input;
  const person = { id: newId('stf'), name, role };
  await insertStaff(trx, partnerId, { ...person, nowMs });
  const who = { partnerId, atMs: nowMs, actor: CONSOLE_ACTOR };
  await appendAudit(trx, { ...who, action: 'staff.created', ref: person.id, detail: { name, role } });
  return person;
}

async function onlyPartner(store: Store): Promise<string> {
  const tenants = await store.system(listTenants);
  const [only] = tenants;
  if (only !== undefined && tenants.length === 1) return only;
  throw relayErrors.make('PARTNER_UNKNOWN', { detail: `This relay has ${tenants.length} partners` });
}

/** Everyone of all partners, those who were disabled too. */
export async function listPeople(store: Store): Promise<(Person & { partnerId: string })[]> {
  const people: (Person & { partnerId: string })[] = [];
  for (const partnerId of await store.system(listTenants)) {
    const own = await store.inTenant(partnerId, (trx) => listStaff(trx, partnerId));
    people.push(...own.map((person) => ({ ...person, partnerId })));
  }
  return people;
}

/** Ends all sessions and open invites of a person at once and lets nobody sign in as them again. Throws NOT_FOUND. */
export async function disablePerson(
  store: Store,
  input: { partnerId: string; staffId: string; actor: string; nowMs: number },
): Promise<void> {
  const { partnerId, staffId, actor, nowMs } = input;
  await store.inTenant(partnerId, async (trx) => {
    await lockPeople(trx, partnerId);
    if (!(await disableStaff(trx, staffId, nowMs))) throw relayErrors.make('NOT_FOUND');
    await endSessionsOf(trx, staffId);
    await endPowersOf(trx, staffId, { by: { partnerId, actor }, nowMs });
    await appendAudit(trx, { partnerId, atMs: nowMs, actor, action: 'staff.disabled', ref: staffId });
  });
}
