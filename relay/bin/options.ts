import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type RelayConfig, readConfig } from '../config/index.ts';
import { relayErrors } from '../errors.ts';

/** Flags that say what the configuration file could say; a flag wins. */
export interface ConfigFlags {
  config?: string;
  publicUrl?: string;
  host?: string;
  port?: number;
  dataDir?: string;
  store?: 'sqlite' | 'postgres';
  connectionStringFile?: string;
  migrateConnectionStringFile?: string;
  maxConnections?: number;
  trustProxy?: string[];
  logLevel?: RelayConfig['logLevel'];
  requestsPerMinute?: number;
  boxRequestsPerMinute?: number;
  claimsPerMinute?: number;
  signInsPerMinute?: number;
  eventStreams?: number;
  metricsTokenFile?: string;
}

/** Read when no other file is named and this one is there; whoever says all by flags needs none. */
export const DEFAULT_CONFIG = '/etc/sitewarden/relay.yaml';

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function withFolderOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', `YAML configuration (default: ${DEFAULT_CONFIG} where it is there)`)
    .option('--data-dir <folder>', 'folder of the keys and the SQLite store');
}

/** What a command needs that only opens the store. */
export function withStoreOptions(command: Command): Command {
  return withFolderOptions(command)
    .addOption(new Option('--store <kind>', 'where rows are kept').choices(['sqlite', 'postgres']))
    .option('--connection-string-file <file>', 'PostgreSQL: connection string of the relay role')
    .option('--migrate-connection-string-file <file>', 'PostgreSQL: connection string of the owner of the tables');
}

/** Everything the configuration file could say. */
export function withConfigOptions(command: Command): Command {
  return withStoreOptions(command)
    .option('--max-connections <number>', 'PostgreSQL: connections of this process', wholeNumber)
    .option('--public-url <url>', 'address boxes and people use')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on, 0 for any free one', wholeNumber)
    .option('--trust-proxy <address...>', 'reverse proxies whose X-Forwarded-For is believed')
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent')
    .option('--requests-per-minute <number>', 'requests of people from one address', wholeNumber)
    .option('--box-requests-per-minute <number>', 'requests of one claimed box', wholeNumber)
    .option('--claims-per-minute <number>', 'requests of unclaimed boxes from one address', wholeNumber)
    .option('--sign-ins-per-minute <number>', 'tries of one-time links from one address', wholeNumber)
    .option('--event-streams <number>', 'dashboards that follow changes at the same time', wholeNumber)
    .option('--metrics-token-file <file>', 'bearer token that reads /metrics from elsewhere');
}

function storeOf(flags: ConfigFlags): RelayConfig['store'] | undefined {
  if (flags.store === undefined) return undefined;
  if (flags.store === 'sqlite') return { kind: 'sqlite' };
  const { connectionStringFile, migrateConnectionStringFile, maxConnections } = flags;
  if (connectionStringFile === undefined) {
    throw relayErrors.make('CONFIG_INVALID', {
      field: 'store',
      detail: '--store postgres needs --connection-string-file',
    });
  }
  return {
    kind: 'postgres',
    connectionStringFile,
    ...(migrateConnectionStringFile === undefined ? {} : { migrateConnectionStringFile }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
}

/** Throws CONFIG_INVALID with every fault. */
export async function configFrom(flags: ConfigFlags): Promise<RelayConfig> {
  const file = flags.config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined);
  const { publicUrl, host, port, dataDir, trustProxy, logLevel, metricsTokenFile } = flags;
  const { requestsPerMinute, boxRequestsPerMinute, claimsPerMinute, signInsPerMinute, eventStreams } = flags;
  return readConfig(file === undefined ? '' : await readText(file), {
    fileName: file ?? 'configuration',
    overrides: {
      publicUrl,
      listen: { host, port } as Partial<RelayConfig['listen']>,
      dataDir,
      store: storeOf(flags),
      trustProxy,
      logLevel,
      limits: {
        requestsPerMinute,
        boxRequestsPerMinute,
        claimsPerMinute,
        signInsPerMinute,
        eventStreams,
      } as Partial<RelayConfig['limits']>,
      metricsTokenFile,
    },
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw relayErrors.make('CONFIG_INVALID', { detail: `${file} cannot be read`, cause });
  }
}
