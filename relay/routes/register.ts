import { Readable } from 'node:stream';
import type { TSchema } from '@sinclair/typebox';
import { OUTBOX_LIMITS } from '@sitewarden/agent-proto/http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { relayErrors } from '../errors.ts';
import type { Box, Device, Tenant } from '../lib/identity.ts';
import { rawBody } from '../lib/raw-body.ts';
import type { Tx } from '../store/index.ts';
import type { HandlerTable, Services } from './context.ts';
import { ROUTES, type RouteContract, type RouteName } from './contract/table.ts';
import { readBody, readParams, readQuery, validatorOf } from './input.ts';

export type NamedContract = RouteContract & { readonly name: string };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Absent only for the files of the web pages, which are public. */
    contract?: NamedContract;
  }
  interface FastifyRequest {
    tenant: Tenant | null;
    box: Box | null;
    device: Device | null;
  }
}

export const MAX_BODY_BYTES = { staff: 64 * 1024, box: 256 * 1024, checkpoint: 64 * 1024 } as const;

type AnyHandler = (context: object) => unknown;

/** The identity is there and may call the route, or this throws. */
export type Guard = (contract: NamedContract, request: FastifyRequest) => void;

export interface RegisterOptions {
  /** Default: every route of the contract. */
  readonly routes?: Readonly<Record<string, RouteContract>>;
  readonly guard: Guard;
}

/**
 * Registers each route of the contract with its handler: identity, guard, input, handler, output, in this order. Throws
 * when a route has no handler or a handler no route.
 */
export function registerRoutes(
  app: FastifyInstance,
  handlers: Partial<HandlerTable>,
  services: Pick<Services, 'store' | 'clock'>,
  { routes = ROUTES, guard }: RegisterOptions,
): void {
  const without = Object.keys(routes).filter((name) => !Object.hasOwn(handlers, name));
  const extra = Object.keys(handlers).filter((name) => !Object.hasOwn(routes, name));
  if (without.length > 0) throw new TypeError(`routes without a handler: ${without.join(', ')}`);
  if (extra.length > 0) throw new TypeError(`handlers without a route: ${extra.join(', ')}`);

  readBodiesAsBytes(app);
  const streams = new Set<Readable>();
  // A stream has no end of its own and would hold up the stop of the server.
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.destroy();
  });
  for (const [name, route] of Object.entries(routes)) {
    const contract: NamedContract = { ...route, name };
    const handle = handlers[name as RouteName] as unknown as AnyHandler;
    app.route({
      method: route.method,
      url: route.url,
      // Monitors ask so; what it answers about is public anyway.
      exposeHeadRoute: name === 'health',
      config: { contract },
      bodyLimit: bodyLimitOf(contract),
      handler: async (request, reply) => {
        guard(contract, request);
        const context = contextOf(contract, request, reply, services);
        const value = await handle(context);
        if (value instanceof Readable) remember(streams, value);
        return answer(contract, reply, value);
      },
    });
  }
}

function remember(streams: Set<Readable>, stream: Readable): void {
  streams.add(stream);
  stream.once('close', () => streams.delete(stream));
}

/** Digests and signatures cover the exact bytes, so nothing parses a body before they are checked. */
function readBodiesAsBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  for (const type of ['application/json', 'application/x-ndjson', 'text/plain']) {
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  }
}

export function bodyLimitOf({ access, consumes }: NamedContract): number {
  if (consumes === 'application/x-ndjson') return OUTBOX_LIMITS.maxBodyBytes;
  if (consumes === 'text/plain') return MAX_BODY_BYTES.checkpoint;
  return access === 'box' || access === 'newBox' ? MAX_BODY_BYTES.box : MAX_BODY_BYTES.staff;
}

function assertMediaType({ body, consumes }: NamedContract, request: FastifyRequest): void {
  const expected = consumes ?? (body === undefined ? undefined : 'application/json');
  if (expected === undefined) return;
  const sent = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (sent === expected) return;
  throw relayErrors.make('MEDIA_TYPE_UNSUPPORTED', { detail: `This route takes ${expected}`, field: 'content-type' });
}

function contextOf(
  contract: NamedContract,
  request: FastifyRequest,
  reply: FastifyReply,
  { store, clock }: Pick<Services, 'store' | 'clock'>,
): object {
  assertMediaType(contract, request);
  const raw = rawBody(request);
  const { tenant, box, device } = request;
  const partnerId = (Array.isArray(contract.access) ? tenant : box)?.partnerId;
  return {
    ...(Array.isArray(contract.access) ? { tenant } : {}),
    ...(contract.access === 'box' ? { box } : {}),
    ...(contract.access === 'newBox' ? { device } : {}),
    ...(partnerId === undefined
      ? {}
      : { inTenant: <T>(fn: (trx: Tx) => Promise<T>): Promise<T> => store.inTenant(partnerId, fn) }),
    params: readParams(contract.params, request.params),
    query: readQuery(contract.query, request.query),
    body: readBody(contract.body, raw),
    raw,
    nowMs: clock.nowMs(),
    request,
    reply,
  };
}

const TEXT_TYPES = { 'text/plain': 'text/plain; charset=utf-8', 'text/html': 'text/html; charset=utf-8' } as const;

/** An answer that is not what the contract says never leaves: a member too many could be a secret. */
function answer({ name, response, status }: NamedContract, reply: FastifyReply, value: unknown): unknown {
  if (status !== undefined) reply.code(status);
  reply.header('cache-control', 'no-store');
  if (response === 'text/event-stream') {
    if (!(value instanceof Readable)) throw new TypeError(`${name} did not answer with a stream`);
    return reply.type('text/event-stream; charset=utf-8').header('x-accel-buffering', 'no').send(value);
  }
  if (response === 'application/pdf') {
    if (!(value instanceof Uint8Array)) throw new TypeError(`${name} did not answer with a PDF`);
    return reply.type(response).send(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  }
  if (typeof response === 'string') {
    if (!reply.hasHeader('content-type')) reply.type(TEXT_TYPES[response]);
    return reply.send(String(value));
  }
  const result = validatorOf(response as TSchema)(value);
  if (!result.ok) throw new TypeError(`${name} answered outside its contract: ${result.field} ${result.detail}`);
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(value));
}
