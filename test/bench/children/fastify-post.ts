// The control of `checkin-http`: a bare Fastify route with the same body, schema and size of answer.
import type { AddressInfo } from 'node:net';
import { CheckinRequest, type CheckinResponse, CheckinResponse as ResponseSchema } from '@sitewarden/agent-proto/http';
import Fastify from 'fastify';
import { serveParent } from '../lib/child.ts';

const answer: CheckinResponse = {
  token: 'AAAAAAAAAAAAAAAAAAAAAA',
  state: 'active',
  timeMs: 1_767_225_600_000,
  signedTime: null,
  configGeneration: 1,
  pendingOrders: 0,
  drainRowsPerS: 2000,
  nextCheckinMs: 60_000,
};

const app = Fastify({ ajv: { customOptions: { strict: false } } });
app.post('/api/appliances/checkin', {
  schema: { body: CheckinRequest, response: { 200: ResponseSchema } },
  handler: async () => answer,
});
await app.listen({ host: '127.0.0.1', port: 0 });
serveParent({ port: (app.server.address() as AddressInfo).port }, async () => ({}));
