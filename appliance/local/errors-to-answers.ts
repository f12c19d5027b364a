import { CodedError, type ErrorBody } from '@sitewarden/kit/errors';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ApplianceErrorCode, applianceErrors } from '../errors.ts';
import { RelayFailure } from '../lib/relay-failure.ts';
import { renderNotice } from './page/page.ts';

/** Every failure leaves as a coded one: JSON for programs, a page for people. What is inside stays in the log. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const coded = toCoded(error);
    if (coded.status >= 500) request.log.error({ err: error }, 'request failed');
    return send(request, reply, coded);
  });
  app.setNotFoundHandler((request, reply) => send(request, reply, applianceErrors.make('LOCAL_NOT_FOUND')));
}

export function toCoded(error: FastifyError | Error): CodedError {
  if (error instanceof CodedError) return error;
  if (error instanceof RelayFailure) return fromRelay(error);
  const { statusCode, code, validation } = error as FastifyError;
  if (validation !== undefined) {
    const first = validation[0];
    const missing = (first?.params as { missingProperty?: string } | undefined)?.missingProperty;
    const field = `${first?.instancePath ?? ''}${missing === undefined ? '' : `/${missing}`}` || '/';
    return applianceErrors.make('LOCAL_BODY_INVALID', { field, detail: first?.message });
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return applianceErrors.make('LOCAL_BODY_TOO_LARGE');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return applianceErrors.make('LOCAL_BODY_INVALID', { detail: error.message });
  }
  return applianceErrors.make('INTERNAL');
}

/** The relay's answer is passed on: its code and its sentence are for the same person. */
function fromRelay({ code, status, message }: RelayFailure): CodedError {
  const own = Object.hasOwn(applianceErrors.table, code)
    ? applianceErrors.table[code as ApplianceErrorCode]
    : undefined;
  return new CodedError(code, { status: own?.status ?? status ?? 502, message });
}

function send(request: FastifyRequest, reply: FastifyReply, error: CodedError): FastifyReply {
  reply.code(error.status);
  if (!wantsPage(request)) return reply.type('application/json').send(error.toJSON() satisfies ErrorBody);
  return reply.type('text/html; charset=utf-8').send(renderNotice(titleOf(error), error.message));
}

export function wantsPage(request: FastifyRequest): boolean {
  return !request.url.startsWith('/api/') && (request.headers.accept ?? '').includes('text/html');
}

const titleOf = (error: CodedError): string =>
  error.status === 404 ? 'There is nothing here' : error.status >= 500 ? 'The box failed' : 'That did not work';
