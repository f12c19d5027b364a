import { appendAudit } from '../audit/index.ts';
import type { Tenant } from '../lib/identity.ts';
import { newToken, secretHash } from '../lib/secrets.ts';
import type { Tx } from '../store/index.ts';
import { enterSecret } from '../store/repositories/directory.ts';
import { insertSession, noteSignIn, type Staff } from '../store/repositories/staff.ts';

export const SESSION_ABSOLUTE_MS = 12 * 3_600_000;

export interface SignedIn {
  readonly token: string;
  readonly tenant: Tenant;
}

/** What let a person in. */
export type BeganWith = 'link' | 'password' | 'invite';

/** A session with a token of its own, in the transaction that found out who it is for. Only the hash is stored. */
export async function openSession(
  trx: Tx,
  person: Staff,
  { partnerId, beganWith, nowMs }: { partnerId: string; beganWith: BeganWith; nowMs: number },
): Promise<SignedIn> {
  const token = newToken();
  const hash = secretHash('session', token);
  const expiresAtMs = nowMs + SESSION_ABSOLUTE_MS;
  await enterSecret(trx, { kind: 'session', hash, partnerId, refId: person.id });
  await insertSession(trx, { hash, partnerId, staffId: person.id, nowMs, expiresAtMs, beganWith });
  await noteSignIn(trx, person.id, nowMs);
  const who = { partnerId, atMs: nowMs, actor: person.name };
  const detail = { role: person.role, with: beganWith };
  await appendAudit(trx, { ...who, action: 'session.started', ref: person.id, detail });
  const { id: staffId, name: actor, role } = person;
  return { token, tenant: { partnerId, staffId, role, actor, sessionHash: hash, expiresAtMs } };
}
