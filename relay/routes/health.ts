import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { relayErrors } from '../errors.ts';
import { programVersion } from '../lib/version.ts';
import { defineHandlers, type Services } from './context.ts';

const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;
const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

/** A proxy on this host also comes from loopback, so a request that says it was forwarded does not count. */
function isFromThisHost(request: FastifyRequest): boolean {
  const { remoteAddress } = request.socket;
  const isForwarded = PROXY_HEADERS.some((name) => request.headers[name] !== undefined);
  return remoteAddress !== undefined && LOOPBACK.has(remoteAddress) && !isForwarded;
}

const digest = (text: string) => createHash('sha256').update(text).digest();

function hasToken(request: FastifyRequest, token: string | undefined): boolean {
  const sent = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  return token !== undefined && sent !== undefined && timingSafeEqual(digest(sent), digest(token));
}

export function healthHandlers({ store, metrics, metricsToken }: Services) {
  return defineHandlers({
    health: async ({ reply, request }) => {
      let ok = true;
      try {
        await store.system((trx) => trx.selectFrom('tenant_directory').select('partner_id').limit(1).execute());
      } catch (error) {
        request.log.error({ err: error }, 'the store does not answer');
        ok = false;
        reply.code(503);
      }
      return { ok, store: store.kind, version: programVersion() };
    },
    metrics: async ({ request, reply }) => {
      if (!isFromThisHost(request) && !hasToken(request, metricsToken)) throw relayErrors.make('METRICS_FORBIDDEN');
      reply.type(metrics.contentType);
      return metrics.metrics();
    },
  });
}
