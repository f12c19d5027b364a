import { Type } from '@sinclair/typebox';
import * as http from '@sitewarden/agent-proto/http';
import type { RouteContract } from './table.ts';
import { admins } from './who.ts';

/** A secret as people see it: never its value. */
const SecretView = http.closed({
  name: http.SecretName,
  setBy: http.ShortText,
  setAtMs: http.UnixMs,
  isToEnterAgain: Type.Boolean({ description: 'the site has another box or key since: enter it again' }),
});
const SecretList = http.closed({
  secrets: Type.Array(SecretView),
  hasBox: Type.Boolean({ description: 'a box is there to seal secrets to' }),
  asOfMs: http.UnixMs,
});
const one = http.closed({ siteId: http.Id('site'), name: http.SecretName });

/** Secrets of a site, sealed to its box at once. */
export const SECRET_ROUTES = {
  secrets: {
    method: 'GET',
    url: '/api/sites/:siteId/secrets',
    access: admins,
    summary: 'Names of the secrets of a site; nobody but its box can read a value',
    params: http.closed({ siteId: http.Id('site') }),
    response: SecretList,
  },
  setSecret: {
    method: 'PUT',
    url: '/api/sites/:siteId/secrets/:name',
    access: admins,
    summary: 'Seal a value to the box of the site, which gets it with its next configuration; it is kept sealed only',
    params: one,
    body: http.closed({
      value: Type.String({
        minLength: 1,
        maxLength: http.SECRET_LIMITS.valueBytes,
        description: 'at most so many bytes',
      }),
    }),
    response: SecretList,
  },
  removeSecret: {
    method: 'DELETE',
    url: '/api/sites/:siteId/secrets/:name',
    access: admins,
    summary: 'Remove a secret; the box forgets it with its next configuration',
    params: one,
    response: SecretList,
  },
} as const satisfies Record<string, RouteContract>;
