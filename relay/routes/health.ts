import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { relayErrors } from '../errors.ts';
import { programVersion } from '../lib/version.ts';
import { codedErrorOf } from '../plugins/error-answers.ts';
import { defineHandlers, type Services } from './context.ts';

const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;
/** Shorter than any monitor waits. */
const STORE_ANSWERS_WITHIN_MS = 5000;
const RETRY_AFTER_S = 5;
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

/** A store that hangs is as bad as one that refuses, and whoever watches the relay must hear of it. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw relayErrors.make('OVERLOADED', { detail: `The store did not answer within ${ms / 1000} s` });
  });
  late.catch(() => {});
  return Promise.race([work, late]).finally(() => timer.abort());
}

export function healthHandlers({ store, metrics, metricsToken }: Services) {
  return defineHandlers({
    health: async ({ reply, request }) => {
      const about = { store: store.kind, version: programVersion() };
      try {
        await within(
          STORE_ANSWERS_WITHIN_MS,
          store.system((trx) => trx.selectFrom('tenant_directory').select('partner_id').limit(1).execute()),
        );
        return { ok: true, ...about };
      } catch (error) {
        request.log.error({ err: error }, 'the store does not answer');
        reply.code(503).header('retry-after', RETRY_AFTER_S);
        return { ok: false, ...about, fault: codedErrorOf(error).message };
      }
    },
    metrics: async ({ request, reply }) => {
      if (!isFromThisHost(request) && !hasToken(request, metricsToken)) throw relayErrors.make('METRICS_FORBIDDEN');
      reply.type(metrics.contentType);
      return metrics.metrics();
    },
  });
}
