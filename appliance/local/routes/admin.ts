import type { Static } from '@sinclair/typebox';
import { closed, Id } from '@sitewarden/agent-proto/http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { applianceErrors } from '../../errors.ts';
import { isAdmin } from '../admin-token.ts';
import type { LocalServices } from '../services.ts';
import { keyRoutes } from './keys.ts';
import { secretRoutes } from './secrets.ts';

const AgentParams = closed({ id: Id('agt') });
const CALLS = { max: 60, timeWindow: 60_000 };

/** What changes who may report. Needs the bearer token from the data folder. */
export function adminRoutes(
  app: FastifyInstance,
  { services, adminToken }: { readonly services: LocalServices; readonly adminToken: string },
): void {
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    if (!isAdmin(request.headers.authorization, adminToken)) throw applianceErrors.make('LOCAL_TOKEN_NEEDED');
  };
  const config = { rateLimit: CALLS };

  keyRoutes(app, { services, onRequest });
  secretRoutes(app, { services, onRequest });
  app.post('/api/local/agent-tokens', { onRequest, config }, async (_request, reply) => {
    reply.code(201);
    return services.agents.createEnrollToken();
  });

  app.delete<{ Params: Static<typeof AgentParams> }>(
    '/api/local/agents/:id',
    { onRequest, config, schema: { params: AgentParams } },
    async (request) => {
      await services.agents.removeAgent(request.params.id);
      return { removed: request.params.id };
    },
  );
}
