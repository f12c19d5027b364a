import rateLimit from '@fastify/rate-limit';
import { parseSignature } from '@sitewarden/agent-proto/http-signature';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { RelayConfig } from '../config/index.ts';
import { relayErrors } from '../errors.ts';

const WINDOW_MS = 60_000;
/** Addresses remembered a class; the least recent are forgotten first. */
const MAX_KEYS = 50_000;

/**
 * Many boxes may stand behind one address, so a claimed box is counted by its key at its address: whoever knows its
 * fingerprint cannot use up its share from elsewhere. Everyone else is counted by address.
 */
function boxKey(request: FastifyRequest): string {
  const parsed = parseSignature(request.headers);
  return parsed.ok ? `${request.ip} ${parsed.keyId}` : request.ip;
}

/** Refuses with RATE_LIMITED and Retry-After before anything expensive happens. */
export const rateLimits = fp<{ limits: RelayConfig['limits'] }>(
  async (app, { limits }) => {
    await app.register(rateLimit, { global: false, cache: MAX_KEYS });
    const byAddress = (max: number) =>
      app.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator: (request) => request.ip });
    const people = byAddress(limits.requestsPerMinute);
    const links = byAddress(limits.signInsPerMinute);
    const newBoxes = byAddress(limits.claimsPerMinute);
    const boxes = app.createRateLimit({
      max: limits.boxRequestsPerMinute,
      timeWindow: WINDOW_MS,
      keyGenerator: boxKey,
    });

    const limiterOf = (request: FastifyRequest) => {
      const access = request.routeOptions.config.contract?.access;
      if (access === 'box') return boxes;
      if (access === 'newBox') return newBoxes;
      return access === 'link' ? links : people;
    };

    app.addHook('onRequest', async (request) => {
      const verdict = await limiterOf(request)(request);
      if (verdict.isAllowed || !verdict.isExceeded) return;
      throw relayErrors.make('RATE_LIMITED', { data: { retryAfterS: Math.max(1, verdict.ttlInSeconds) } });
    });
  },
  { name: 'rate-limits', dependencies: ['error-answers'] },
);
