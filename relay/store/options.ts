import { type RelayConfig, readSecret } from '../config/index.ts';
import { hasKeys } from '../keys/index.ts';
import { assertConnectionString } from './postgres/connect.ts';
import type { StoreOptions } from './types.ts';

async function connectionString(path: string, field: string): Promise<string> {
  const text = await readSecret(path, field);
  assertConnectionString(text, { field, path });
  return text;
}

/**
 * `init` makes the database before the keys, so keys without one say that it was lost. Connection strings hold passwords, so they come from
 * files and never from the command line.
 */
export async function storeOptions({ store, dataDir }: RelayConfig): Promise<StoreOptions> {
  if (store.kind === 'sqlite')
    return { kind: 'sqlite', file: `${dataDir}/relay.db`, mustExist: await hasKeys(dataDir) };
  const { connectionStringFile, migrateConnectionStringFile, maxConnections } = store;
  return {
    kind: 'postgres',
    connectionString: await connectionString(connectionStringFile, 'store.connectionStringFile'),
    ...(migrateConnectionStringFile === undefined
      ? {}
      : {
          migrateConnectionString: await connectionString(
            migrateConnectionStringFile,
            'store.migrateConnectionStringFile',
          ),
        }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
}
