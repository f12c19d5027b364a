import { join } from 'node:path';
import { newId } from '@sitewarden/kit/ids';
import type { Logger } from '@sitewarden/kit/log';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { createClaims } from './claim/index.ts';
import { decodableUrl, refuseConnection } from './lib/refuse-connection.ts';
import { guardAccess, labelledRoutesOnly } from './plugins/access-guard.ts';
import { boxAuth } from './plugins/box-auth.ts';
import { errorAnswers } from './plugins/error-answers.ts';
import { rateLimits } from './plugins/rate-limits.ts';
import { requestMetrics } from './plugins/request-metrics.ts';
import { securityHeaders } from './plugins/security-headers.ts';
import { staffAuth } from './plugins/staff-auth.ts';
import { wakeUpgrade } from './plugins/wake-upgrade.ts';
import { webPages } from './plugins/web-pages.ts';
import type { Services } from './routes/context.ts';
import { methodsAt } from './routes/contract/methods-at.ts';
import { allHandlers } from './routes/handlers.ts';
import { type Guard, registerRoutes } from './routes/register.ts';
import { findOffer } from './store/repositories/claims.ts';
import { isWakeUpgrade } from './wake/index.ts';

const WEB_FOLDER = join(import.meta.dirname, 'web', 'dist');
/** Slower than any honest link; a request that drips in must not hold its place. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Node's limit for all headers together, the first line included. */
const MAX_URL_CHARS = 16 * 1024;
const KEEP_ALIVE_MS = 75_000;

export interface AppOptions {
  readonly log: Logger;
  /** Replaced only by the proof that the guard is what refuses. */
  readonly guard?: Guard;
}

/** The whole HTTP application, without a socket and without signals. */
export async function createApp(
  services: Services,
  { log, guard = guardAccess }: AppOptions,
): Promise<FastifyInstance> {
  const { config, store, metrics } = services;
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => newId('req'),
    requestIdHeader: false,
    trustProxy: config.trustProxy.length > 0 ? config.trustProxy : false,
    exposeHeadRoutes: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    rewriteUrl: (request) => decodableUrl(request.url ?? '/'),
    clientErrorHandler: refuseConnection,
    // Node would answer a request without Host with an empty 400; errorAnswers refuses it in words.
    http: { requireHostHeader: false, shouldUpgradeCallback: isWakeUpgrade },
    // Longer ones than any id reach their route, whose schema refuses them in our words.
    routerOptions: { maxParamLength: MAX_URL_CHARS, ignoreTrailingSlash: false },
  });
  const isHttps = config.publicUrl?.startsWith('https:') ?? false;

  await app.register(labelledRoutesOnly);
  await app.register(errorAnswers, { methodsAt, page: join(WEB_FOLDER, 'index.html') });
  await app.register(requestMetrics, { registry: metrics });
  await app.register(securityHeaders, { isHttps });
  await app.register(rateLimits, { limits: config.limits, boxes: services.boxes });
  await app.register(staffAuth, { services });
  await app.register(boxAuth, {
    services,
    findSessionKey: async (session) => (await store.system((trx) => findOffer(trx, session)))?.dik,
  });
  await app.register(wakeUpgrade, { wakes: services.wakes });
  await app.register(webPages, { folder: WEB_FOLDER });

  const claims = createClaims(services);
  const handlers = allHandlers(services, claims);
  registerRoutes(app as unknown as FastifyInstance, handlers, services, { guard });
  return app as unknown as FastifyInstance;
}
