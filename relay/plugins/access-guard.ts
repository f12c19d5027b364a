import type { RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { relayErrors } from '../errors.ts';
import type { Role } from '../lib/roles.ts';
import type { Guard } from '../routes/register.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A file of the web pages: public, and nothing else may be without a contract. */
    page?: true;
  }
}

/** Lets through what the label of the route allows and nothing else; an identity that is missing is refused. */
export const guardAccess: Guard = ({ access }, request) => {
  if (access === 'public' || access === 'link') return;
  if (access === 'newBox') {
    if (request.device === null) throw relayErrors.make('SIGNATURE_MISSING');
  } else if (access === 'box') {
    if (request.box === null) throw relayErrors.make('SIGNATURE_MISSING');
  } else {
    if (request.tenant === null) throw relayErrors.make('UNAUTHENTICATED');
    if (!isAmong(request.tenant.role, access)) throw relayErrors.make('FORBIDDEN');
  }
};

function isAmong(role: Role, roles: readonly Role[]): boolean {
  return Array.isArray(roles) && roles.includes(role);
}

/** The program does not start with a route nobody labelled. */
export const labelledRoutesOnly = fp(
  async (app) => {
    const routes: RouteOptions[] = [];
    app.addHook('onRoute', (route) => {
      routes.push(route);
    });
    // Only now have the hooks of all plugins seen their routes.
    app.addHook('onReady', async () => {
      for (const { method, url, config } of routes) {
        if (config?.contract !== undefined || config?.page === true) continue;
        throw new TypeError(`the route ${String(method)} ${url} has no access label`);
      }
    });
  },
  { name: 'labelled-routes-only' },
);
