import type { AddressInfo } from 'node:net';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import type { FastifyInstance } from 'fastify';
import type { ApplianceContext } from '../lib/context.ts';
import { listenFailed } from '../lib/listen-failed.ts';
import type { Telemetry } from '../telemetry/index.ts';
import { ensureAdminToken } from './admin-token.ts';
import { buildServer } from './server.ts';
import type { LocalServices } from './services.ts';

export interface Local extends LifecyclePart {
  /** `http://host:port` of the page; only while it runs. */
  readonly url: string;
}

export interface LocalOptions {
  readonly services: LocalServices;
  readonly telemetry: Telemetry;
}

/** The page of the box and its API. Its start throws LISTEN_FAILED. */
export function createLocal(ctx: ApplianceContext, { services, telemetry }: LocalOptions): Local {
  let app: FastifyInstance | undefined;

  return {
    name: 'local',
    async start() {
      const adminToken = await ensureAdminToken(ctx.config.dataDir);
      const server = await buildServer({ ctx, services, telemetry, adminToken });
      const { host, port } = ctx.config.local;
      await server.listen({ host, port }).catch((cause: unknown) => {
        throw listenFailed('local', { host, port }, cause);
      });
      app = server;
      ctx.log.info({ url: this.url }, 'local page');
    },
    async stop() {
      await app?.close();
      app = undefined;
    },
    get url() {
      const address = app?.server.address() as AddressInfo | null | undefined;
      if (!address) throw new Error('the local page is not running');
      return urlOf(address);
    },
  };
}

/** An address to open from this host: the wildcard is no place to go to. */
function urlOf({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
