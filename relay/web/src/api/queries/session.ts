import { queryOptions } from '@tanstack/react-query';
import { isApiError } from '../api-error.ts';
import { api, take } from '../client.ts';
import { keys } from '../keys.ts';
import type { Session } from '../types.ts';

/** Who is signed in; null when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await take(api.GET('/api/session', { signal }));
    } catch (error) {
      if (isApiError(error) && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

export const signIn = (token: string): Promise<Session> => take(api.POST('/api/session', { body: { token } }));
export const signInWithPassword = (body: { email: string; password: string }): Promise<Session> =>
  take(api.POST('/api/session/password', { body }));
export const signOut = () => take(api.DELETE('/api/session'));
