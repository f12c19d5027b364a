import { type Static, Type } from '@sinclair/typebox';
import { closed } from '@sitewarden/agent-proto/http';
import type { FastifyInstance } from 'fastify';
import { applianceErrors } from '../../errors.ts';
import { toCoded } from '../errors-to-answers.ts';
import { type FormTokens, isOwnOrigin } from '../guard.ts';
import { renderPage } from '../page/page.ts';
import type { LocalServices } from '../services.ts';
import type { LocalStatus } from '../status.ts';

export interface ClaimRoutes {
  readonly services: LocalServices;
  read(): Promise<LocalStatus>;
  readonly forms: FormTokens;
}

const CodeBody = closed({ code: Type.String({ minLength: 1, maxLength: 512 }) });
const FormBody = closed({ code: Type.String({ maxLength: 512 }), form: Type.String({ maxLength: 128 }) });
/** The relay counts tries by code; this keeps one screen from asking it all day. */
const TRIES = { max: 20, timeWindow: 60_000 };
const FORM_BYTES = 4096;

/** Two ways to give the box a code: the form of the page, and JSON. Neither answers a page of another origin. */
export function claimRoutes(app: FastifyInstance, { services, read, forms }: ClaimRoutes): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_BYTES },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body as string))),
  );
  const config = { rateLimit: TRIES };

  app.post<{ Body: Static<typeof CodeBody> }>(
    '/api/local/claim',
    { schema: { body: CodeBody }, config },
    async (request) => {
      if (!isOwnOrigin(request.headers)) throw applianceErrors.make('LOCAL_ORIGIN_REFUSED');
      // A form of another origin can be sent without asking first; JSON cannot.
      if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
        throw applianceErrors.make('LOCAL_BODY_INVALID', { detail: 'Only application/json is taken here' });
      }
      return services.claim.claimWithCode(request.body.code);
    },
  );

  app.post<{ Body: Static<typeof FormBody> }>(
    '/claim',
    { schema: { body: FormBody }, config },
    async (request, reply) => {
      if (!isOwnOrigin(request.headers)) throw applianceErrors.make('LOCAL_ORIGIN_REFUSED');
      if (!forms.isValid(request.body.form)) throw applianceErrors.make('LOCAL_FORM_EXPIRED');
      try {
        await services.claim.claimWithCode(request.body.code);
        return reply.redirect('/', 303);
      } catch (error) {
        const { status, message } = toCoded(error as Error);
        if (status >= 500) request.log.warn({ err: error }, 'claim by code failed');
        const page = renderPage({ status: await read(), formToken: forms.make(), codeError: message });
        return reply.code(status).type('text/html; charset=utf-8').send(page);
      }
    },
  );
}
