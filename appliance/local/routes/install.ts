import { type Static, Type } from '@sinclair/typebox';
import { closed } from '@sitewarden/agent-proto/http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ApplianceConfig } from '../../config/index.ts';
import { applianceErrors } from '../../errors.ts';
import type { InstallerSet } from '../../installers/index.ts';
import { reachableAddress, reachablePage } from '../../lib/reachable-address.ts';
import { readRunFile } from '../../lib/run-file.ts';
import { isAdmin } from '../admin-token.ts';
import { toCoded } from '../errors-to-answers.ts';
import { type FormTokens, isOwnOrigin } from '../guard.ts';
import { renderInstallPage } from '../page/install.ts';
import type { LocalServices } from '../services.ts';

export interface InstallRoutes {
  readonly config: ApplianceConfig;
  readonly services: LocalServices;
  readonly adminToken: string;
  readonly forms: FormTokens;
}

const FileParams = closed({ file: Type.String({ maxLength: 128 }) });
const TokenBody = closed({
  form: Type.String({ maxLength: 128 }),
  admin: Type.String({ maxLength: 128 }),
  as: Type.Union([Type.Literal('code'), Type.Literal('file')]),
});
/** Whole workstations behind one address fetch at once; each fetch is 100 MB of the box's disk. */
const FETCHES = { max: 60, timeWindow: 60_000 };
const TRIES = { max: 20, timeWindow: 60_000 };

/** The installers of the agent, for anybody on the site's network, and a token for whoever sits at the box. */
export function installRoutes(app: FastifyInstance, { config, services, adminToken, forms }: InstallRoutes): void {
  const { installers } = services;

  async function page(request: FastifyRequest, more: { token?: string; tokenError?: string } = {}): Promise<string> {
    let found: InstallerSet | undefined;
    let fault: string | undefined;
    try {
      found = await installers.read();
    } catch (error) {
      request.log.warn({ err: error }, 'installers');
      fault = toCoded(error as Error).message;
    }
    const isOnBox = isLoopback(request.ip);
    // Whoever sees the page from elsewhere has just shown by which name workstations reach it.
    const baseUrl = isOnBox ? await outerUrl() : `http://${request.headers.host}`;
    return renderInstallPage({ installers: found, fault, baseUrl, isOnBox, formToken: forms.make(), ...more });
  }

  app.get('/install/agent', async (request, reply) => reply.type('text/html; charset=utf-8').send(await page(request)));

  app.get('/install/manifest.json', async (_request, reply) =>
    reply.type('application/json').send((await required()).manifest),
  );
  app.get('/install/manifest.json.sig', async (_request, reply) => {
    const { signature } = await required();
    if (signature === undefined) throw applianceErrors.make('LOCAL_NOT_FOUND');
    return reply.type('text/plain; charset=utf-8').send(`${signature}\n`);
  });

  app.get<{ Params: Static<typeof FileParams> }>(
    '/install/:file',
    { schema: { params: FileParams }, config: { rateLimit: FETCHES } },
    async (request, reply) => {
      const { installer, stream } = await installers.openFile(request.params.file);
      return reply
        .type('application/octet-stream')
        .header('content-length', installer.bytes)
        .header('content-disposition', `attachment; filename="${installer.file}"`)
        .header('x-sha256', installer.sha256)
        .send(stream);
    },
  );

  app.post<{ Body: Static<typeof TokenBody> }>(
    '/install/token',
    { schema: { body: TokenBody }, config: { rateLimit: TRIES } },
    async (request, reply) => {
      if (!isOwnOrigin(request.headers)) throw applianceErrors.make('LOCAL_ORIGIN_REFUSED');
      if (!isLoopback(request.ip)) throw applianceErrors.make('LOCAL_LOOPBACK_NEEDED');
      const { form, admin, as } = request.body;
      if (!forms.isValid(form)) throw applianceErrors.make('LOCAL_FORM_EXPIRED');
      if (!isAdmin(`Bearer ${admin.trim()}`, adminToken)) {
        const { status, message } = applianceErrors.make('LOCAL_TOKEN_NEEDED');
        const refused = await page(request, { tokenError: message });
        return reply.code(status).type('text/html; charset=utf-8').send(refused);
      }
      const token = await tokenFile();
      if (as === 'code') return reply.type('text/html; charset=utf-8').send(await page(request, { token }));
      return reply
        .type('application/json')
        .header('content-disposition', 'attachment; filename="token.json"')
        .send(`${token}\n`);
    },
  );

  async function outerUrl(): Promise<string | undefined> {
    const run = await readRunFile(config.dataDir);
    return run === undefined ? undefined : reachablePage(config, run.localUrl);
  }

  async function required(): Promise<InstallerSet> {
    const found = await installers.read();
    if (found === undefined) throw applianceErrors.make('INSTALLERS_NONE');
    return found;
  }

  async function tokenFile(): Promise<string> {
    const run = await readRunFile(config.dataDir);
    const { host, port } = config.intake;
    const applianceAddress = reachableAddress(config, run?.intakeAddress ?? `${host}:${port}`);
    const { token, siteCaSha256 } = services.agents.createEnrollToken();
    return JSON.stringify({ applianceAddress, token, caFingerprint: `sha256:${siteCaSha256}` });
  }
}

/** Fastify trusts no forwarding header here, so this is the address of the connection. */
const isLoopback = (ip: string): boolean => ip === '::1' || /^(::ffff:)?127\./.test(ip);
