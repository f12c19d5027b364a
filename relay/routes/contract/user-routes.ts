import * as http from '@sitewarden/agent-proto/http';
import type { RouteContract } from './table.ts';
import * as view from './user-views.ts';
import { Ok, ROLES, SessionView } from './views.ts';
import { admins } from './who.ts';

/** People of a tenant: who may, how they come in, and what they may change about themselves. */
export const USER_ROUTES = {
  signInWithPassword: {
    method: 'POST',
    url: '/api/session/password',
    access: 'link',
    summary: 'Trade e-mail and password for a session',
    body: view.PasswordSignIn,
    response: SessionView,
  },
  users: {
    method: 'GET',
    url: '/api/users',
    access: admins,
    summary: 'People of the partner, those who were disabled too',
    response: view.UserList,
  },
  me: {
    method: 'GET',
    url: '/api/users/me',
    access: [...ROLES],
    summary: 'What the relay knows about who asks',
    response: view.MeView,
  },
  changeOwnPassword: {
    method: 'POST',
    url: '/api/users/me/password',
    access: [...ROLES],
    summary: 'Set or change the own password, with the first one the e-mail too; other sessions end',
    body: view.OwnPassword,
    response: Ok,
  },
  changeUser: {
    method: 'PUT',
    url: '/api/users/:userId',
    access: admins,
    summary: 'Change name, role, sites or disable; what changes rights ends the person’s sessions',
    params: http.closed({ userId: http.Id('stf') }),
    body: view.UserChange,
    response: view.UserView,
  },
  invites: {
    method: 'GET',
    url: '/api/users/invites',
    access: admins,
    summary: 'Invites, newest first',
    response: view.InviteList,
  },
  createInvite: {
    method: 'POST',
    url: '/api/users/invite',
    access: admins,
    summary: 'Invite somebody; the one-time link is shown once and works for 7 days',
    body: view.InviteRequest,
    response: view.InviteCreated,
    status: 201,
  },
  revokeInvite: {
    method: 'DELETE',
    url: '/api/users/invites/:inviteId',
    access: admins,
    summary: 'Take an invite back',
    params: http.closed({ inviteId: http.Id('inv') }),
    response: Ok,
  },
  greetInvited: {
    method: 'GET',
    url: '/api/users/invite/validate/:token',
    access: 'link',
    summary: 'Who invites and as what; uses nothing up',
    params: view.InviteParams,
    response: view.InviteGreeting,
  },
  acceptInvite: {
    method: 'POST',
    url: '/api/users/invite/accept',
    access: 'link',
    summary: 'Choose a password, become a person of the partner and be signed in',
    body: view.InviteAccept,
    response: SessionView,
  },
} as const satisfies Record<string, RouteContract>;
