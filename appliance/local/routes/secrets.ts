import type { Static } from '@sinclair/typebox';
import { closed, SecretName } from '@sitewarden/agent-proto/http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { LocalServices } from '../services.ts';

const TestBody = closed({ name: SecretName });
const CALLS = { max: 10, timeWindow: 60_000 };

/** Names of the site's secrets, and whether one opens. Needs the bearer token from the data folder; no value is told. */
export function secretRoutes(
  app: FastifyInstance,
  { services, onRequest }: { readonly services: LocalServices; onRequest(request: FastifyRequest): Promise<void> },
): void {
  const { secrets } = services;
  app.post('/api/local/secrets/list', { onRequest, config: { rateLimit: CALLS } }, async () => ({
    secrets: secrets.list(),
  }));
  app.post<{ Body: Static<typeof TestBody> }>(
    '/api/local/secrets/test',
    { onRequest, config: { rateLimit: CALLS }, schema: { body: TestBody } },
    async (request) => ({ bytes: await secrets.use(request.body.name, (value) => Buffer.byteLength(value)) }),
  );
}
