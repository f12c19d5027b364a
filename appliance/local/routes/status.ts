import type { FastifyInstance } from 'fastify';
import type { ApplianceContext } from '../../lib/context.ts';
import type { FormTokens } from '../guard.ts';
import { renderPage } from '../page/page.ts';
import { type LocalStatus, readStages } from '../status.ts';

export interface StatusRoutes {
  readonly ctx: Pick<ApplianceContext, 'db' | 'clock' | 'metrics'>;
  read(): Promise<LocalStatus>;
  readonly forms: FormTokens;
}

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#1f5fa8" d="M16 2l12 4v9c0 8-5 12.5-12 15C9 27.5 4 23 4 15V6z"/><path fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" d="M10.5 16l4 4 7-9"/></svg>`;

/** What anybody on the site's network may look at. */
export function statusRoutes(app: FastifyInstance, { ctx, read, forms }: StatusRoutes): void {
  app.get('/', async (_request, reply) => {
    const page = renderPage({ status: await read(), formToken: forms.make() });
    return reply.type('text/html; charset=utf-8').send(page);
  });
  app.get('/icon.svg', (_request, reply) => reply.type('image/svg+xml').send(ICON));
  app.get('/api/local/status', read);
  app.get('/api/local/agents', async () => ({ agents: (await read()).agents.list }));
  /** The process answers, its database can be read, and whether every stage gets on with its rows. */
  app.get('/health', async () => {
    const stuck = readStages(ctx).filter(({ isStuck }) => isStuck);
    return { ok: stuck.length === 0, stuck: stuck.map(({ name }) => name) };
  });
  app.get('/metrics', async (_request, reply) => {
    const { registry } = ctx.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}
