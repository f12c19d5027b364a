import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { closed } from '@sitewarden/agent-proto/http';
import Fastify from 'fastify';
import t from 'tap';
import { labelledRoutesOnly } from '../../../relay/plugins/access-guard.ts';
import { errorAnswers } from '../../../relay/plugins/error-answers.ts';
import type { HandlerTable, Services } from '../../../relay/routes/context.ts';
import { ROUTES, type RouteContract } from '../../../relay/routes/contract/table.ts';
import { openApiDocument } from '../../../relay/routes/openapi-document.ts';
import { registerRoutes } from '../../../relay/routes/register.ts';

const route: RouteContract = {
  method: 'GET',
  url: '/thing',
  access: 'public',
  summary: 'A thing',
  response: closed({ size: Type.Integer() }),
};
const services = { clock: { nowMs: () => 1, monotonicMs: () => 1 } } as unknown as Services;

async function appWith(routes: Record<string, RouteContract>, handlers: Record<string, () => unknown>) {
  const app = Fastify();
  await app.register(labelledRoutesOnly);
  await app.register(errorAnswers, { methodsAt: () => [] });
  registerRoutes(app, handlers as unknown as HandlerTable, services, { routes, guard: () => {} });
  return app;
}

t.test('a route without a handler and a handler without a route stop the start', async (t) => {
  await t.rejects(appWith({ thing: route }, {}), { message: /routes without a handler: thing/ });
  await t.rejects(appWith({}, { thing: () => 1 }), { message: /handlers without a route: thing/ });
});

t.test('a route nobody labelled stops the start', async (t) => {
  const app = await appWith({ thing: route }, { thing: () => ({ size: 1 }) });
  app.get('/secret', async () => 'x');
  await t.rejects(async () => app.ready(), { message: /GET \/secret has no access label/ });
});

t.test('an answer that is not what the contract says does not leave', async (t) => {
  const answers: unknown[] = [{ size: 1 }, { size: 1, secret: 'x' }, { size: 'big' }, undefined];
  const app = await appWith({ thing: route }, { thing: () => answers.shift() });
  t.teardown(() => app.close());
  t.match(await app.inject('/thing'), { statusCode: 200, body: '{"size":1}' });
  for (let turn = 0; turn < 3; turn += 1) {
    const answer = await app.inject('/thing');
    t.equal(answer.statusCode, 500);
    t.match(answer.json(), { code: 'INTERNAL' });
    t.notMatch(answer.body, /secret/);
  }
});

t.test('the committed OpenAPI file is what the routes say, the same each time', async (t) => {
  const path = join(import.meta.dirname, '..', '..', '..', 'relay', 'openapi.json');
  const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;
  t.equal(readFileSync(path, 'utf8'), text, 'run: npm run openapi');
  t.equal(`${JSON.stringify(openApiDocument(), null, 2)}\n`, text);
});

t.test('every route is described with its name, its label and how it fails', async (t) => {
  const document = openApiDocument() as {
    paths: Record<
      string,
      Record<string, { operationId: string; security: object[]; responses: Record<string, unknown> }>
    >;
  };
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  t.strictSame(operations.map(({ operationId }) => operationId).sort(), Object.keys(ROUTES).sort());
  for (const { operationId, security, responses } of operations) {
    const { access } = ROUTES[operationId as keyof typeof ROUTES] as RouteContract;
    t.equal(security.length, access === 'public' || access === 'link' ? 0 : 1, operationId);
    t.ok(responses.default, operationId);
  }
});
