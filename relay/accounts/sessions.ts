import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tenant } from '../lib/identity.ts';
import { createLru } from '../lib/lru.ts';
import { secretHash } from '../lib/secrets.ts';
import type { Store } from '../store/index.ts';
import { dropSecret, findSecret } from '../store/repositories/directory.ts';
import { deleteSession, findSession, type SessionRow, touchSession, useLink } from '../store/repositories/staff.ts';
import { openSession, type SignedIn } from './open-session.ts';

export const SESSION_IDLE_MS = 30 * 60_000;
/** Use is noted at most this often; a session can end this much too early, never too late. */
const TOUCH_AFTER_MS = 30_000;
const MAX_KNOWN = 10_000;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

export interface StaffSessions {
  /** Trades a one-time link for a session, ending the one the browser had. Throws SIGN_IN_LINK_INVALID. */
  signIn(input: { linkToken: string; previousToken: string | undefined; nowMs: number }): Promise<SignedIn>;
  /** Ends the session a browser had before it signed in anew: a token planted there leads nowhere. */
  endPrevious(token: string | undefined, nowMs: number): Promise<void>;
  /** Who holds this token now; undefined for a token that is unknown, idle, too old, or of a disabled person. */
  find(token: string, nowMs: number): Promise<Tenant | undefined>;
  /** Is the session of a request that began earlier still good? For answers that stay open. */
  isAlive(tenant: Tenant, nowMs: number): Promise<boolean>;
  end(tenant: Tenant, nowMs: number): Promise<void>;
}

/** Whether a session still counts at `nowMs`; pure. Both limits are exact: at the limit it is over. */
export function isSessionAlive(row: Pick<SessionRow, 'lastUsedAtMs' | 'expiresAtMs'>, nowMs: number): boolean {
  return nowMs < row.expiresAtMs && nowMs < row.lastUsedAtMs + SESSION_IDLE_MS;
}

export function createStaffSessions(store: Store): StaffSessions {
  // A session never changes its tenant, so this needs no expiry; whether it lives is read each time.
  const partners = createLru<string, string>(MAX_KNOWN);

  async function partnerOf(hash: string): Promise<string | undefined> {
    const known = partners.get(hash);
    if (known !== undefined) return known;
    const owner = await store.system((trx) => findSecret(trx, 'session', hash));
    if (owner !== undefined) partners.set(hash, owner.partnerId);
    return owner?.partnerId;
  }

  async function read(
    hash: string,
    options: { partnerId: string; nowMs: number; touch: boolean },
  ): Promise<Tenant | undefined> {
    const { partnerId, nowMs, touch } = options;
    const row = await store.inTenant(partnerId, async (trx) => {
      const found = await findSession(trx, hash);
      if (found === undefined || !isSessionAlive(found, nowMs)) return undefined;
      if (touch && nowMs - found.lastUsedAtMs >= TOUCH_AFTER_MS) await touchSession(trx, hash, nowMs);
      return found;
    });
    return (
      row && {
        partnerId,
        staffId: row.staffId,
        role: row.role,
        actor: row.name,
        sessionHash: hash,
        expiresAtMs: row.expiresAtMs,
      }
    );
  }

  async function find(token: string, nowMs: number): Promise<Tenant | undefined> {
    if (!TOKEN.test(token)) return undefined;
    const hash = secretHash('session', token);
    const partnerId = await partnerOf(hash);
    return partnerId === undefined ? undefined : read(hash, { partnerId, nowMs, touch: true });
  }

  async function end(tenant: Tenant, nowMs: number): Promise<void> {
    const { partnerId, sessionHash, actor, staffId } = tenant;
    await store.inTenant(partnerId, async (trx) => {
      await dropSecret(trx, sessionHash);
      if (!(await deleteSession(trx, sessionHash))) return;
      await appendAudit(trx, { partnerId, atMs: nowMs, actor, action: 'session.ended', ref: staffId });
    });
  }

  async function endPrevious(token: string | undefined, nowMs: number): Promise<void> {
    const before = token === undefined ? undefined : await find(token, nowMs);
    if (before !== undefined) await end(before, nowMs);
  }

  return {
    find,
    end,
    endPrevious,
    isAlive: async (tenant, nowMs) =>
      (await read(tenant.sessionHash, { partnerId: tenant.partnerId, nowMs, touch: false })) !== undefined,
    async signIn({ linkToken, previousToken, nowMs }) {
      const linkHash = secretHash('link', linkToken);
      const owner = await store.system((trx) => findSecret(trx, 'link', linkHash));
      if (owner === undefined) throw relayErrors.make('SIGN_IN_LINK_INVALID');
      const { partnerId } = owner;
      const signedIn = await store.inTenant(partnerId, async (trx) => {
        const person = await useLink(trx, linkHash, nowMs);
        if (person === undefined) return undefined;
        await dropSecret(trx, linkHash);
        return openSession(trx, person, { partnerId, beganWith: 'link', nowMs });
      });
      if (signedIn === undefined) throw relayErrors.make('SIGN_IN_LINK_INVALID');
      await endPrevious(previousToken, nowMs);
      return signedIn;
    },
  };
}
