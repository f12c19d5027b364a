import rateLimit from '@fastify/rate-limit';
import { parseSignature } from '@sitewarden/agent-proto/http-signature';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { BoxDirectory } from '../accounts/index.ts';
import type { RelayConfig } from '../config/index.ts';
import { relayErrors } from '../errors.ts';

const WINDOW_MS = 60_000;
/** Addresses remembered a class; the least recent are forgotten first. */
const MAX_KEYS = 50_000;

type KnownBoxes = Pick<BoxDirectory, 'isCached'>;

/**
 * Many boxes may stand behind one address, so a known box is counted by its key at its address: whoever knows its
 * fingerprint cannot use up its share from elsewhere. Everyone else is counted by address, whatever key they claim to
 * have, so that nobody makes a share of their own; a box the relay has not heard of since its start is, once.
 */
function boxKey(boxes: KnownBoxes, request: FastifyRequest): string {
  const parsed = parseSignature(request.headers);
  return parsed.ok && boxes.isCached(parsed.keyId) ? `${request.ip} ${parsed.keyId}` : request.ip;
}

/** Refuses with RATE_LIMITED and Retry-After before anything expensive happens. */
export const rateLimits = fp<{ limits: RelayConfig['limits']; boxes: KnownBoxes }>(
  async (app, { limits, boxes: known }) => {
    await app.register(rateLimit, { global: false, cache: MAX_KEYS });
    const byAddress = (max: number) =>
      app.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator: (request) => request.ip });
    const people = byAddress(limits.requestsPerMinute);
    const links = byAddress(limits.signInsPerMinute);
    const guesses = byAddress(limits.signInsPerMinute);
    const newBoxes = byAddress(limits.claimsPerMinute);
    const boxes = app.createRateLimit({
      max: limits.boxRequestsPerMinute,
      timeWindow: WINDOW_MS,
      keyGenerator: (request) => boxKey(known, request),
    });

    const limiterOf = (request: FastifyRequest) => {
      const { access, isGuessable } = request.routeOptions.config.contract ?? {};
      if (isGuessable) return guesses;
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
