import { queryOptions } from '@tanstack/react-query';
import { api, take } from '../client.ts';
import { keys } from '../keys.ts';
import type { InviteRequest, OwnPassword, PersonChange, Session } from '../types.ts';

export const usersQuery = queryOptions({
  queryKey: keys.users,
  queryFn: ({ signal }) => take(api.GET('/api/users', { signal })),
  refetchInterval: 30_000,
});

export const invitesQuery = queryOptions({
  queryKey: keys.invites,
  queryFn: ({ signal }) => take(api.GET('/api/users/invites', { signal })),
  refetchInterval: 30_000,
});

export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: ({ signal }) => take(api.GET('/api/users/me', { signal })),
});

/** Who invites and as what. Asked once for each link; it uses nothing up. */
export const greetingQuery = (token: string) =>
  queryOptions({
    queryKey: ['invite-greeting', token],
    queryFn: ({ signal }) =>
      take(api.GET('/api/users/invite/validate/{token}', { params: { path: { token } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const acceptInvite = (body: { token: string; password: string }): Promise<Session> =>
  take(api.POST('/api/users/invite/accept', { body }));
export const createInvite = (body: InviteRequest) => take(api.POST('/api/users/invite', { body }));
export const revokeInvite = (inviteId: string) =>
  take(api.DELETE('/api/users/invites/{inviteId}', { params: { path: { inviteId } } }));
export const changePerson = (userId: string, body: PersonChange) =>
  take(api.PUT('/api/users/{userId}', { params: { path: { userId } }, body }));
export const changeOwnPassword = (body: OwnPassword) => take(api.POST('/api/users/me/password', { body }));
