import cookie from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { relayErrors } from '../errors.ts';
import { clearSessionCookie, SESSION_COOKIE } from '../lib/session-cookie.ts';
import type { Services } from '../routes/context.ts';

/**
 * A page of another site can make a browser send a request, but neither with our header nor with our Origin. Our Origin
 * is the public URL, or what the browser itself took for this host.
 */
export function assertSameOrigin(request: FastifyRequest, publicUrl: string): void {
  const { origin, host } = request.headers;
  const isOwn =
    origin === new URL(publicUrl).origin || (host !== undefined && origin === `${request.protocol}://${host}`);
  if (isOwn && request.headers['x-sitewarden'] === '1') return;
  throw relayErrors.make('CSRF_REFUSED', { field: isOwn ? 'x-sitewarden' : 'origin' });
}

/** Finds out who of the staff calls; whether they may is the guard's question. */
export const staffAuth = fp<{ services: Pick<Services, 'sessions' | 'clock' | 'publicUrl'> }>(
  async (app, { services }) => {
    const { sessions, clock, publicUrl } = services;
    await app.register(cookie);
    app.decorateRequest('tenant', null);
    app.addHook('onRequest', async (request, reply) => {
      const contract = request.routeOptions.config.contract;
      const isForStaff = Array.isArray(contract?.access);
      if (contract === undefined || (!isForStaff && contract.access !== 'link')) return;
      if (contract.method !== 'GET') assertSameOrigin(request, publicUrl());
      if (!isForStaff) return;
      const token = request.cookies[SESSION_COOKIE];
      const tenant = token === undefined ? undefined : await sessions.find(token, clock.nowMs());
      if (tenant === undefined) {
        if (token !== undefined) clearSessionCookie(reply, publicUrl());
        throw relayErrors.make('UNAUTHENTICATED');
      }
      request.tenant = tenant;
    });
  },
  { name: 'staff-auth', dependencies: ['error-answers', 'rate-limits'] },
);
