import { type RelayConfig, readSecret } from '../config/index.ts';
import type { StoreOptions } from './types.ts';

/** Connection strings hold passwords, so they come from files and never from the command line. */
export async function storeOptions({ store, dataDir }: RelayConfig): Promise<StoreOptions> {
  if (store.kind === 'sqlite') return { kind: 'sqlite', file: `${dataDir}/relay.db` };
  const { connectionStringFile, migrateConnectionStringFile, maxConnections } = store;
  return {
    kind: 'postgres',
    connectionString: await readSecret(connectionStringFile, 'store.connectionStringFile'),
    ...(migrateConnectionStringFile === undefined
      ? {}
      : {
          migrateConnectionString: await readSecret(migrateConnectionStringFile, 'store.migrateConnectionStringFile'),
        }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
}
