import {
  changeOwnPassword,
  changePerson,
  createInvites,
  handOver,
  needsCurrent,
  PASSWORD_MIN,
  signInWithPassword,
} from '../accounts/index.ts';
import { relayErrors } from '../errors.ts';
import { SESSION_COOKIE, setSessionCookie } from '../lib/session-cookie.ts';
import { findPerson, listPeopleOf, sessionBeginning } from '../store/repositories/people.ts';
import { defineHandlers, type Services } from './context.ts';
import { sessionViewer } from './session.ts';

export function userHandlers({ sessions, store, publicUrl }: Services) {
  const viewOf = sessionViewer(store);
  const invites = createInvites({ store, publicUrl, deliver: handOver });
  return defineHandlers({
    signInWithPassword: async ({ body, request, reply, nowMs }) => {
      const { token, tenant } = await signInWithPassword(store, { ...body, ip: request.ip, nowMs });
      await sessions.endPrevious(request.cookies[SESSION_COOKIE], nowMs);
      setSessionCookie(reply, token, publicUrl());
      return viewOf(tenant);
    },
    users: async ({ tenant, inTenant, nowMs }) => ({
      users: await inTenant((trx) => listPeopleOf(trx, tenant.partnerId)),
      asOfMs: nowMs,
    }),
    me: ({ tenant, inTenant, nowMs }) =>
      inTenant(async (trx) => {
        const person = await findPerson(trx, tenant.partnerId, tenant.staffId);
        if (person === undefined) throw relayErrors.make('UNAUTHENTICATED');
        const session = await sessionBeginning(trx, tenant.sessionHash);
        return { ...person, needsCurrent: needsCurrent(person.hasPassword, session, nowMs) };
      }),
    changeOwnPassword: async ({ tenant, body, request, nowMs }) => {
      await changeOwnPassword(store, { tenant, wish: body, ip: request.ip, nowMs });
      return { ok: true };
    },
    changeUser: ({ tenant, params, body, inTenant, nowMs }) =>
      inTenant((trx) => changePerson(trx, { tenant, userId: params.userId, change: body, nowMs })),
    invites: async ({ tenant, nowMs }) => ({ invites: await invites.list(tenant, nowMs), asOfMs: nowMs }),
    createInvite: ({ tenant, body, nowMs }) => invites.create(tenant, body, nowMs),
    revokeInvite: async ({ tenant, params, nowMs }) => {
      await invites.revoke(tenant, params.inviteId, nowMs);
      return { ok: true };
    },
    greetInvited: async ({ params, nowMs }) => ({
      ...(await invites.greet(params.token, nowMs)),
      passwordMinLength: PASSWORD_MIN,
    }),
    acceptInvite: async ({ body, request, reply, nowMs }) => {
      const { token, tenant } = await invites.accept({ ...body, nowMs });
      await sessions.endPrevious(request.cookies[SESSION_COOKIE], nowMs);
      setSessionCookie(reply, token, publicUrl());
      return viewOf(tenant);
    },
  });
}
