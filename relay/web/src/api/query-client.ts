import { QueryCache, QueryClient } from '@tanstack/react-query';
import { isApiError } from './api-error.ts';
import { keys } from './keys.ts';

/** Worth asking again: no answer at all, or one that says "not now". */
const isPassing = (error: unknown) =>
  isApiError(error) &&
  (error.code === 'UNREACHABLE' || error.code === 'TIMEOUT' || [502, 503, 504].includes(error.status));

export function makeQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      // A session ends on the relay at any time; the next refused read must lead to the sign-in page.
      onError: (error, query) => {
        if (isApiError(error) && error.status === 401 && query.queryKey[0] !== keys.session[0])
          void client.invalidateQueries({ queryKey: keys.session });
      },
    }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => isPassing(error) && failures < 2,
        retryDelay: (failures) => Math.random() * Math.min(8000, 1000 * 2 ** failures),
        staleTime: 5000,
        // Asking shows whether the relay is there; the browser's own idea of "online" only knows about the cable.
        networkMode: 'always',
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
  return client;
}
