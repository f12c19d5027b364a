import { queryOptions } from '@tanstack/react-query';
import { api, take } from '../client.ts';
import { keys } from '../keys.ts';

export const secretsQuery = (siteId: string) =>
  queryOptions({
    queryKey: keys.secrets(siteId),
    queryFn: ({ signal }) => take(api.GET('/api/sites/{siteId}/secrets', { params: { path: { siteId } }, signal })),
    refetchInterval: 60_000,
  });

export const setSecret = (siteId: string, name: string, value: string) =>
  take(api.PUT('/api/sites/{siteId}/secrets/{name}', { params: { path: { siteId, name } }, body: { value } }));

export const removeSecret = (siteId: string, name: string) =>
  take(api.DELETE('/api/sites/{siteId}/secrets/{name}', { params: { path: { siteId, name } } }));
