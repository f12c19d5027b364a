import type { Static } from '@sinclair/typebox';
import { closed, oneOf, ROTATED_KEYS } from '@sitewarden/agent-proto/http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { LocalServices } from '../services.ts';

const RotateBody = closed({ key: oneOf(ROTATED_KEYS) });
const CALLS = { max: 10, timeWindow: 60_000 };

/** What changes who the box is. Needs the bearer token from the data folder. */
export function keyRoutes(
  app: FastifyInstance,
  { services, onRequest }: { readonly services: LocalServices; onRequest(request: FastifyRequest): Promise<void> },
): void {
  app.post<{ Body: Static<typeof RotateBody> }>(
    '/api/local/keys/rotate',
    { onRequest, config: { rateLimit: CALLS }, schema: { body: RotateBody } },
    async (request) => services.keys.rotate(request.body.key),
  );
}
