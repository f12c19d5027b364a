import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import { normalEmail } from '../lib/emails.ts';
import type { Tenant } from '../lib/identity.ts';
import type { InviteState } from '../lib/invite-states.ts';
import { assertName } from '../lib/names.ts';
import type { Role } from '../lib/roles.ts';
import { newToken, secretHash } from '../lib/secrets.ts';
import type { Store, Tx } from '../store/index.ts';
import { dropSecret, enterSecret, findSecret, isSecretEntered } from '../store/repositories/directory.ts';
import {
  findInvite,
  type InviteRow,
  insertInvite,
  listInvites,
  openInvitesTo,
  takeInvite,
} from '../store/repositories/invites.ts';
import { isActiveAdmin, lockPeople, replaceSites, setCredentials, siteNames } from '../store/repositories/people.ts';
import { insertStaff, partnerName } from '../store/repositories/staff.ts';
import type { Deliver } from './delivery.ts';
import { revokeIn } from './end-powers.ts';
import { openSession, type SignedIn } from './open-session.ts';
import { enterEmail } from './own-password.ts';
import { assertPassword, hashPassword } from './password.ts';
import { assertSites, assertSitesFit } from './users.ts';

export const INVITE_TTL_MS = 7 * 24 * 3_600_000;
const MAX_LISTED = 200;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

export interface InviteView {
  id: string;
  email: string;
  name: string;
  role: Role;
  siteIds: string[];
  state: InviteState;
  createdBy: string;
  createdAtMs: number;
  expiresAtMs: number;
  acceptedAtMs: number | null;
  revokedAtMs: number | null;
}

/** How an invite stands at a moment; at `expires_at_ms` exactly it is over. Pure. */
export function inviteState(
  row: Pick<InviteRow, 'accepted_at_ms' | 'revoked_at_ms' | 'expires_at_ms'>,
  nowMs: number,
): InviteView['state'] {
  if (row.accepted_at_ms !== null) return 'accepted';
  if (row.revoked_at_ms !== null) return 'revoked';
  return nowMs >= row.expires_at_ms ? 'expired' : 'open';
}

function viewOf(row: InviteRow, nowMs: number): InviteView {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role as Role,
    siteIds: JSON.parse(row.site_ids) as string[],
    state: inviteState(row, nowMs),
    createdBy: row.created_by,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    acceptedAtMs: row.accepted_at_ms,
    revokedAtMs: row.revoked_at_ms,
  };
}

export interface InviteWish {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly siteIds?: readonly string[];
}

/** Whom an invite is for and from, for who holds its token. */
export interface Greeting {
  partnerName: string;
  invitedBy: string;
  name: string;
  email: string;
  role: Role;
  siteNames: string[];
  expiresAtMs: number;
}

export function createInvites({
  store,
  deliver,
  publicUrl,
}: {
  store: Store;
  deliver: Deliver;
  publicUrl: () => string;
}) {
  /** Unknown, used, revoked and expired look alike. Throws INVITE_INVALID. */
  async function findOwner(token: string) {
    const hash = TOKEN.test(token) ? secretHash('invite', token) : undefined;
    const owner = hash && (await store.system((trx) => findSecret(trx, 'invite', hash)));
    if (!owner) throw relayErrors.make('INVITE_INVALID');
    return owner;
  }

  /** Only who could make the invite now lets somebody in by it. Throws INVITE_INVALID. */
  async function assertMaker(trx: Tx, { created_by_staff_id: makerId }: InviteRow): Promise<void> {
    if (makerId === null || !(await isActiveAdmin(trx, makerId))) throw relayErrors.make('INVITE_INVALID');
  }

  async function openOne(trx: Tx, id: string, nowMs: number): Promise<InviteRow> {
    const row = await findInvite(trx, id);
    if (row === undefined || inviteState(row, nowMs) !== 'open') throw relayErrors.make('INVITE_INVALID');
    await assertMaker(trx, row);
    return row;
  }

  return {
    /** The link is in the answer and nowhere else. Open invites to the same address end. Throws EMAIL_TAKEN, NOT_FOUND, UNAUTHENTICATED. */
    async create(tenant: Tenant, wish: InviteWish, nowMs: number): Promise<{ invite: InviteView; url: string }> {
      const { partnerId, actor, staffId } = tenant;
      const { name, role } = wish;
      const email = normalEmail(wish.email);
      const siteIds = [...new Set(wish.siteIds ?? [])];
      assertName(name, '/name', 'BODY_INVALID');
      assertSitesFit(role, siteIds);
      const token = newToken();
      const row: InviteRow = {
        id: newId('inv'),
        partner_id: partnerId,
        email,
        name,
        role,
        site_ids: JSON.stringify(siteIds),
        token_hash: secretHash('invite', token),
        created_by: actor,
        created_by_staff_id: staffId,
        created_at_ms: nowMs,
        expires_at_ms: nowMs + INVITE_TTL_MS,
        accepted_at_ms: null,
        revoked_at_ms: null,
      };
      await store.inTenant(partnerId, async (trx) => {
        await lockPeople(trx, partnerId);
        // Who asks may have been disabled since the request began.
        if (!(await isActiveAdmin(trx, staffId))) throw relayErrors.make('UNAUTHENTICATED');
        await assertSites(trx, siteIds);
        if (await isSecretEntered(trx, secretHash('email', email))) {
          throw relayErrors.make('EMAIL_TAKEN', { field: '/email' });
        }
        for (const old of await openInvitesTo(trx, partnerId, email)) await revokeIn(trx, old, { by: tenant, nowMs });
        await insertInvite(trx, row);
        await enterSecret(trx, { kind: 'invite', hash: row.token_hash, partnerId, refId: row.id });
        const detail = { email, name, role, sites: siteIds.join(' '), staffId };
        await appendAudit(trx, { partnerId, atMs: nowMs, actor, action: 'invite.created', ref: row.id, detail });
      });
      const link = `${publicUrl()}/invite#${token}`;
      const letter = { email, name, role, invitedBy: actor, url: link, expiresAtMs: row.expires_at_ms };
      const { url } = await deliver(letter);
      return { invite: viewOf(row, nowMs), url };
    },

    async list(tenant: Tenant, nowMs: number): Promise<InviteView[]> {
      const rows = await store.inTenant(tenant.partnerId, (trx) => listInvites(trx, tenant.partnerId, MAX_LISTED));
      return rows.map((row) => viewOf(row, nowMs));
    },

    /** Revoked twice is revoked. Throws NOT_FOUND, CONFLICT when it was accepted. */
    async revoke(tenant: Tenant, id: string, nowMs: number): Promise<void> {
      await store.inTenant(tenant.partnerId, async (trx) => {
        await lockPeople(trx, tenant.partnerId);
        const row = await findInvite(trx, id);
        if (row === undefined) throw relayErrors.make('NOT_FOUND');
        await revokeIn(trx, row, { by: tenant, nowMs });
        if ((await findInvite(trx, id))?.accepted_at_ms === null) return;
        throw relayErrors.make('CONFLICT', { detail: 'The invite was accepted already; disable the person instead' });
      });
    },

    /** Uses nothing up. Throws INVITE_INVALID. */
    async greet(token: string, nowMs: number): Promise<Greeting> {
      const { partnerId, refId } = await findOwner(token);
      return store.inTenant(partnerId, async (trx) => {
        const row = await openOne(trx, refId, nowMs);
        const names = await siteNames(trx, JSON.parse(row.site_ids) as string[]);
        return {
          partnerName: (await partnerName(trx, partnerId)) ?? '',
          invitedBy: row.created_by,
          name: row.name,
          email: row.email,
          role: row.role as Role,
          siteNames: [...names.values()].sort((a, b) => a.localeCompare(b)),
          expiresAtMs: row.expires_at_ms,
        };
      });
    },

    /**
     * Makes the person and signs them in; one caller wins. A password that does not fit uses nothing up. Throws
     * INVITE_INVALID, PASSWORD_UNFIT, EMAIL_TAKEN, OVERLOADED.
     */
    async accept({ token, password, nowMs }: { token: string; password: string; nowMs: number }): Promise<SignedIn> {
      const { partnerId, refId } = await findOwner(token);
      const seen = await store.inTenant(partnerId, (trx) => openOne(trx, refId, nowMs));
      assertPassword(password, seen, '/password');
      const passwordHash = await hashPassword(password);
      return store.inTenant(partnerId, async (trx) => {
        await lockPeople(trx, partnerId);
        const row = await takeInvite(trx, refId, nowMs);
        if (row === undefined) throw relayErrors.make('INVITE_INVALID');
        await assertMaker(trx, row);
        await dropSecret(trx, row.token_hash);
        const { email, name } = row;
        const person = { id: newId('stf'), name, role: row.role as Role };
        await insertStaff(trx, partnerId, { ...person, nowMs });
        await enterEmail(trx, { email, partnerId, staffId: person.id });
        await setCredentials(trx, { id: person.id, email, passwordHash, nowMs });
        // A site may be gone since.
        const siteIds = [...(await siteNames(trx, JSON.parse(row.site_ids) as string[])).keys()];
        await replaceSites(trx, { partnerId, staffId: person.id, siteIds });
        const who = { partnerId, atMs: nowMs, actor: name };
        await appendAudit(trx, { ...who, action: 'invite.accepted', ref: row.id, detail: { staffId: person.id } });
        const detail = { name, role: person.role, email, sites: siteIds.join(' ') };
        await appendAudit(trx, { ...who, action: 'staff.created', ref: person.id, detail });
        return openSession(trx, person, { partnerId, beganWith: 'invite', nowMs });
      });
    },
  };
}

export type Invites = ReturnType<typeof createInvites>;
