import type { ErrorBody } from '@sitewarden/agent-proto/http';
import { type CodedError, isCodedError } from '@sitewarden/kit/errors';
import { readFileIfExists } from '@sitewarden/kit/files';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { type RelayErrorCode, relayErrors } from '../errors.ts';

const DEFAULT_RETRY_AFTER_S = 5;

/** Faults of the framework and of the engines that have a code of ours. */
const KNOWN: Readonly<Record<string, RelayErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BODY_INVALID',
  FST_ERR_BAD_URL: 'NOT_FOUND',
  FST_ERR_NOT_FOUND: 'NOT_FOUND',
  SQLITE_CONSTRAINT_UNIQUE: 'CONFLICT',
  SQLITE_CONSTRAINT_PRIMARYKEY: 'CONFLICT',
  '23505': 'CONFLICT',
  SQLITE_BUSY: 'OVERLOADED',
  ECONNREFUSED: 'OVERLOADED',
  ECONNRESET: 'OVERLOADED',
  '53300': 'OVERLOADED',
  '57P01': 'OVERLOADED',
  '57P02': 'OVERLOADED',
  '57P03': 'OVERLOADED',
  '57014': 'OVERLOADED',
};

/** The one place where a fault becomes a coded error; whatever is not expected is INTERNAL. */
export function codedErrorOf(error: unknown): CodedError {
  if (isCodedError(error)) return error;
  const { code, message, statusCode } = (error ?? {}) as Partial<FastifyError>;
  const known = Object.hasOwn(KNOWN, code ?? '') ? KNOWN[code as string] : undefined;
  if (known !== undefined) return relayErrors.make(known, { cause: error });
  // SQLite's word for it, and PostgreSQL's.
  if (code === 'SQLITE_FULL' || code === '53100') {
    return relayErrors.make('OVERLOADED', { detail: 'The disk of the relay is full', cause: error });
  }
  // The PostgreSQL client has no codes for these.
  if (message !== undefined && /^(timeout exceeded when trying to connect|Connection terminated)/.test(message)) {
    return relayErrors.make('OVERLOADED', { cause: error });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return relayErrors.make('BODY_INVALID', { cause: error });
  }
  return relayErrors.make('INTERNAL', { cause: error });
}

/** What a fault of the framework means depends on what the route takes. */
function forRoute(coded: CodedError, request: FastifyRequest): CodedError {
  const contract = request.routeOptions.config.contract;
  if (coded.code === 'MEDIA_TYPE_UNSUPPORTED' && coded.field === undefined && contract !== undefined) {
    const wanted = contract.consumes ?? 'application/json';
    return relayErrors.make('MEDIA_TYPE_UNSUPPORTED', {
      detail: `This route takes ${wanted}`,
      field: 'content-type',
      cause: coded.cause,
    });
  }
  if (coded.code === 'BODY_TOO_LARGE' && Array.isArray(contract?.access)) {
    return relayErrors.make('REQUEST_TOO_LARGE', { cause: coded.cause });
  }
  return coded;
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const coded = forRoute(codedErrorOf(error), request);
  if (coded.status >= 500) request.log.error({ err: error, code: coded.code }, 'request failed');
  else request.log.debug({ code: coded.code }, 'request refused');
  const retryAfterS = coded.data?.retryAfterS;
  // A locked code stays locked: waiting does not help.
  if ((coded.status === 429 && coded.code !== 'CODE_LOCKED') || coded.status === 503) {
    reply.header('retry-after', typeof retryAfterS === 'number' ? Math.ceil(retryAfterS) : DEFAULT_RETRY_AFTER_S);
  }
  const body: ErrorBody = coded.toJSON();
  return reply
    .code(coded.status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body));
}

const asksForPage = ({ method, url, headers }: FastifyRequest): boolean =>
  method === 'GET' && headers.accept?.includes('text/html') === true && !/^\/(api|assets)\//.test(url);

const NOWHERE = 'The pages begin at /, and /api/openapi.json lists the routes';

export interface ErrorAnswersOptions {
  /** What an address takes. */
  readonly methodsAt: (path: string) => readonly string[];
  /** The file of the dashboard, which tells a person that there is no such page; none where it is not built. */
  readonly page?: string;
}

/** Every answer that is not 2xx is an ErrorBody, or a page where a browser asks, and every answer names its request. */
export const errorAnswers = fp<ErrorAnswersOptions>(
  async (app, { methodsAt, page }) => {
    app.addHook('onRequest', async (request, reply) => {
      reply.header('x-request-id', request.id);
      if (request.headers.host !== undefined || request.raw.httpVersion !== '1.1') return;
      throw relayErrors.make('REQUEST_MALFORMED', { detail: 'The header host is missing', field: 'host' });
    });
    app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
    app.setNotFoundHandler(async (request, reply) => {
      const methods = methodsAt(request.url.split('?', 1)[0] ?? '');
      if (methods.length === 0) {
        const text = page !== undefined && asksForPage(request) ? await readFileIfExists(page) : undefined;
        if (text === undefined) return sendError(relayErrors.make('NOT_FOUND', { detail: NOWHERE }), request, reply);
        return reply.code(404).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(text);
      }
      reply.header('allow', methods.join(', '));
      const detail = `This address takes ${methods.join(' and ')}`;
      return sendError(relayErrors.make('METHOD_NOT_ALLOWED', { detail, field: 'method' }), request, reply);
    });
  },
  { name: 'error-answers' },
);
