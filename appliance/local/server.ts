import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { applianceErrors } from '../errors.ts';
import type { ApplianceContext } from '../lib/context.ts';
import type { Telemetry } from '../telemetry/index.ts';
import { answerErrors } from './errors-to-answers.ts';
import { createFormTokens, isOwnHost } from './guard.ts';
import { SCRIPT_HASH, STYLE_HASH } from './page/page.ts';
import { adminRoutes } from './routes/admin.ts';
import { claimRoutes } from './routes/claim.ts';
import { installRoutes } from './routes/install.ts';
import { scanRoutes } from './routes/scan.ts';
import { statusRoutes } from './routes/status.ts';
import type { LocalServices } from './services.ts';
import { readStatus } from './status.ts';

export interface LocalServerOptions {
  readonly ctx: ApplianceContext;
  readonly services: LocalServices;
  readonly telemetry: Telemetry;
  readonly adminToken: string;
}

const BODY_LIMIT_BYTES = 16 * 1024;
/** A page open on every screen of a site asks 12 times a minute each. */
const REQUESTS_PER_MINUTE = 1200;

const MAX_CONNECTIONS = 256;

/** The server without its socket. */
export async function buildServer(options: LocalServerOptions): Promise<FastifyInstance> {
  const { ctx, services, telemetry, adminToken } = options;
  // Requests are not worth a line each: pages ask every few seconds.
  const level = ctx.log.level === 'silent' ? 'silent' : 'warn';
  const loggerInstance: FastifyBaseLogger = ctx.log.child({ part: 'local' }, { level });
  const app: FastifyInstance = Fastify({
    loggerInstance,
    bodyLimit: BODY_LIMIT_BYTES,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    requestTimeout: 15_000,
    connectionTimeout: 30_000,
    keepAliveTimeout: 10_000,
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 128 },
    rewriteUrl: (request) => decodableUrl(request.url ?? '/'),
    clientErrorHandler: refuseConnection,
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  answerErrors(app);
  app.addHook('onRequest', async (request) => {
    if (!isOwnHost(request.headers.host, ctx.config.local.hostNames)) throw applianceErrors.make('LOCAL_HOST_REFUSED');
  });
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: [STYLE_HASH],
        scriptSrc: [SCRIPT_HASH, "'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    // The page is HTTP on the LAN: a promise of HTTPS would lock people out of it.
    strictTransportSecurity: false,
    // With no-referrer a browser's own form would arrive with the origin null.
    referrerPolicy: { policy: 'same-origin' },
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  await app.register(rateLimit, {
    max: REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    errorResponseBuilder: () => applianceErrors.make('LOCAL_RATE_LIMITED'),
  });

  const forms = createFormTokens(ctx.clock.monotonicMs);
  const read = () => readStatus({ ctx, services, telemetry });
  statusRoutes(app, { ctx, read, forms });
  claimRoutes(app, { services, read, forms });
  scanRoutes(app);
  installRoutes(app, { config: ctx.config, services, adminToken, forms });
  adminRoutes(app, { services, adminToken });
  return app;
}

/** An address that cannot be decoded names nothing; as another one it takes the way of every address that is unknown. */
function decodableUrl(url: string): string {
  try {
    decodeURI(url.split('?', 1)[0] as string);
    return url;
  } catch {
    return '/api/undecodable';
  }
}

/** Bytes that are no HTTP request never become one: the answer is written by hand. */
function refuseConnection(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const coded = applianceErrors.make(isTooLarge ? 'LOCAL_BODY_TOO_LARGE' : 'LOCAL_BODY_INVALID', {
    detail: isTooLarge ? 'The headers are larger than 16 KiB' : 'These bytes are no HTTP request, or came too slowly',
  });
  const body = JSON.stringify(coded.toJSON());
  const head = [
    `HTTP/1.1 ${coded.status} ${STATUS_CODES[coded.status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    "content-security-policy: default-src 'none'; frame-ancestors 'none'",
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
