import type { Tenant } from '../lib/identity.ts';
import { clearSessionCookie, SESSION_COOKIE, setSessionCookie } from '../lib/session-cookie.ts';
import type { Store } from '../store/index.ts';
import { partnerName } from '../store/repositories/staff.ts';
import { defineHandlers, type Services } from './context.ts';
import type { SessionView } from './contract/views.ts';

/** What a session looks like to its own person. */
export const sessionViewer =
  (store: Store) =>
  async ({ partnerId, staffId, actor, role, expiresAtMs }: Tenant): Promise<SessionView> => {
    const name = await store.inTenant(partnerId, (trx) => partnerName(trx, partnerId));
    return { staffId, name: actor, role, partner: { id: partnerId, name: name ?? '' }, expiresAtMs };
  };

export function sessionHandlers({ sessions, store, publicUrl }: Services) {
  const viewOf = sessionViewer(store);
  return defineHandlers({
    signIn: async ({ body, request, reply, nowMs }) => {
      const previousToken = request.cookies[SESSION_COOKIE];
      const { token, tenant } = await sessions.signIn({ linkToken: body.token, previousToken, nowMs });
      setSessionCookie(reply, token, publicUrl());
      return viewOf(tenant);
    },
    session: ({ tenant }) => viewOf(tenant),
    signOut: async ({ tenant, reply, nowMs }) => {
      await sessions.end(tenant, nowMs);
      clearSessionCookie(reply, publicUrl());
      return { ok: true };
    },
  });
}
