import { queryOptions } from '@tanstack/react-query';
import { api, take } from '../client.ts';
import { keys } from '../keys.ts';
import type { Body, CodeRequest } from '../types.ts';

export const clientsQuery = queryOptions({
  queryKey: keys.clients,
  queryFn: ({ signal }) => take(api.GET('/api/clients', { signal })),
});

export const codesQuery = queryOptions({
  queryKey: keys.codes,
  queryFn: ({ signal }) => take(api.GET('/api/provision/codes', { signal })),
  refetchInterval: 30_000,
});

export const claimSessionsQuery = queryOptions({
  queryKey: keys.claimSessions,
  queryFn: ({ signal }) => take(api.GET('/api/provision/sessions', { signal })),
  refetchInterval: 15_000,
});

export const createClient = (name: string) => take(api.POST('/api/clients', { body: { name } }));
export const createSite = (body: Body<'/api/sites', 'post'>) => take(api.POST('/api/sites', { body }));
export const createCode = (body: CodeRequest) => take(api.POST('/api/provision/codes', { body }));

/** The sheet and the name to save it under. */
export async function printLabels(body: Body<'/api/provision/labels', 'post'>): Promise<{ name: string; pdf: Blob }> {
  const pdf = await take(api.POST('/api/provision/labels', { body, parseAs: 'blob' }));
  const stamp = new Date().toISOString().slice(0, 16).replaceAll(/[-:]/g, '');
  return { name: `sitewarden-labels-${stamp}Z.pdf`, pdf };
}

export const revokeCode = (codeId: string) =>
  take(api.DELETE('/api/provision/codes/{codeId}', { params: { path: { codeId } } }));
export const approveClaim = (session: string, body: { number: string; replaces?: string }) =>
  take(api.POST('/api/provision/sessions/{session}/approve', { params: { path: { session } }, body }));
export const rejectClaim = (session: string) =>
  take(api.POST('/api/provision/sessions/{session}/reject', { params: { path: { session } } }));
