import { createLogger } from '@sitewarden/kit/log';
import closeWithGrace from 'close-with-grace';
import { createPartner, createSignInLink, hasTenants } from '../accounts/index.ts';
import type { RelayConfig } from '../config/index.ts';
import { relayErrors } from '../errors.ts';
import { hasKeys, initKeys } from '../keys/index.ts';
import { isRole } from '../lib/roles.ts';
import { openApiDocument } from '../routes/openapi-document.ts';
import { relayHost, startRelay } from '../server.ts';
import { migratePostgres, openStore, storeOptions } from '../store/index.ts';

const STOP_WITHIN_MS = 10_000;
const FIRST_PARTNER = 'My company';
const FIRST_ADMIN = 'Admin';

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export async function init(
  config: RelayConfig,
  { json, ifMissing }: { json?: boolean; ifMissing?: boolean },
): Promise<void> {
  if (ifMissing && (await hasKeys(config.dataDir))) return;
  const host = relayHost(config);
  const made = await initKeys({ dataDir: config.dataDir, host, nowMs: Date.now() });
  if (json) {
    print(JSON.stringify({ host, ...made }));
    return;
  }
  print(`Keys of ${host} are made.`);
  print(`Root public key, which every box must be given: ${made.rootPublicKey}`);
  print(`Now move ${made.rootKeyFile} to a place that is not on any network. The relay runs without it.`);
}

/** Logs go to standard error, so that standard output holds only what was asked for. */
const logTo = (config: RelayConfig) =>
  createLogger({
    name: 'sitewarden-relay',
    level: config.logLevel,
    destination: { write: (line: string) => void process.stderr.write(line) },
  });

export async function serve(config: RelayConfig, { readyJson }: { readyJson?: boolean }): Promise<void> {
  const log = logTo(config);
  const relay = await startRelay(config, { log });
  const { url, publicUrl, services } = relay;
  // The first start of all: somebody must be able to come in.
  let signInUrl: string | null = null;
  if (!(await hasTenants(services.store))) {
    const nowMs = Date.now();
    const partnerId = await createPartner(services.store, { name: FIRST_PARTNER, nowMs });
    const link = { publicUrl, role: 'admin', name: FIRST_ADMIN, partnerId, nowMs } as const;
    signInUrl = (await createSignInLink(services.store, link)).url;
  }
  closeWithGrace({ delay: STOP_WITHIN_MS, logger: false }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'stopping after a fault');
    else log.info({ signal }, 'stopping');
    await relay.close();
  });
  if (readyJson) return print(JSON.stringify({ ready: true, url, publicUrl, signInUrl }));
  print(`The relay listens on ${url}${publicUrl === url ? '' : ` and is reached as ${publicUrl}`}`);
  if (signInUrl !== null) print(`Sign in once, within 15 minutes: ${signInUrl}`);
}

export async function migrate(config: RelayConfig): Promise<void> {
  const options = await storeOptions(config);
  if (options.kind === 'sqlite') {
    await (await openStore(options)).close();
    return print('The database is at the newest version.');
  }
  if (options.migrateConnectionString === undefined) {
    throw relayErrors.make('CONFIG_INVALID', {
      field: 'store.migrateConnectionStringFile',
      detail: 'Migrating needs the connection string of the owner of the tables',
    });
  }
  const applied = await migratePostgres(options.migrateConnectionString, Date.now());
  print(applied.length > 0 ? `Applied ${applied.join(', ')}.` : 'The database is at the newest version.');
}

export async function signInLink(
  config: RelayConfig,
  options: { role: string; name: string; partner?: string; createPartner?: string; json?: boolean },
): Promise<void> {
  const { role, name, json } = options;
  if (!isRole(role)) throw relayErrors.make('CONFIG_INVALID', { field: 'role', detail: `${role} is not a role` });
  const { publicUrl } = config;
  if (publicUrl === undefined) {
    throw relayErrors.make('CONFIG_INVALID', {
      field: 'publicUrl',
      detail: 'A link needs the public URL of the relay',
    });
  }
  const store = await openStore(await storeOptions(config));
  try {
    const nowMs = Date.now();
    const partnerId =
      options.createPartner === undefined
        ? options.partner
        : await createPartner(store, { name: options.createPartner, nowMs });
    const link = await createSignInLink(store, { publicUrl, role, name, partnerId, nowMs });
    print(json ? JSON.stringify(link) : `For ${name} (${role}), once, within 15 minutes: ${link.url}`);
  } finally {
    await store.close();
  }
}

export const openApi = (): void => print(JSON.stringify(openApiDocument(), null, 2));

export function configCheck(config: RelayConfig): void {
  print(JSON.stringify(config, null, 2));
}
