import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import fp from 'fastify-plugin';
import { relayErrors } from '../errors.ts';

/** Addresses of the dashboard: each answers with the one page, which shows what its address says. */
export const PAGE_URLS = [
  '/',
  '/sites/*',
  '/receipts/*',
  '/claim',
  '/code',
  '/sign-in',
  '/invite',
  '/provisioning',
  '/people',
  '/account',
] as const;

/** Built files carry the digest of their content in their name. */
const ASSET = /\/assets\/[^/]+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

/** Serves the built dashboard, when there is one. Everything here is public and holds no data. */
export const webPages = fp<{ folder: string }>(
  async (app, { folder }) => {
    const isBuilt = existsSync(join(folder, 'index.html'));
    // The plugin registers a route a file; all of them get their label here.
    await app.register(async (pages) => {
      pages.addHook('onRoute', (route) => {
        route.config = { ...route.config, page: true };
      });
      if (isBuilt) {
        await pages.register(fastifyStatic, {
          root: folder,
          wildcard: false,
          index: false,
          cacheControl: false,
          setHeaders: (reply, path) => {
            const caching = ASSET.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
            reply.header('cache-control', caching);
          },
        });
      }
      for (const url of PAGE_URLS) {
        pages.get(url, async (request, reply) => {
          if (!request.headers.accept?.includes('text/html')) throw relayErrors.make('NOT_FOUND');
          if (!isBuilt) throw relayErrors.make('NOT_FOUND', { detail: 'The dashboard is not built on this relay' });
          return reply.sendFile('index.html');
        });
      }
    });
  },
  { name: 'web-pages', dependencies: ['error-answers', 'security-headers'] },
);
