import { AsyncLocalStorage } from 'node:async_hooks';
import { isDamage } from '@sitewarden/kit/sqlite';
import { relayErrors } from '../errors.ts';
import { openPostgres } from './postgres/open.ts';
import { damaged } from './sqlite/damaged.ts';
import { isAbsent, openSqlite } from './sqlite/open.ts';
import type { Store, StoreOptions } from './types.ts';

export { engineOf, lockFor } from './engine.ts';
export { storeOptions } from './options.ts';
export { migratePostgres } from './postgres/migrate.ts';
export {
  DIRECTORY_TABLES,
  type DirectoryDatabase,
  type RelayDatabase,
  TENANT_TABLES,
} from './schema.ts';
export { damaged } from './sqlite/damaged.ts';
export { isAbsent } from './sqlite/open.ts';
export type { CheckReport, DirectoryTx, Store, StoreKind, StoreOptions, Tx } from './types.ts';

/**
 * Opens the store and brings it to the newest migration (on PostgreSQL only when the owner's connection is given).
 * Throws STORE_ROLE_UNSAFE, STORE_NOT_MIGRATED, STORE_MIGRATION_FAILED, STORE_LOST, SQLITE_DAMAGED, or the engine's own error. `onError` hears of
 * faults no caller waits for.
 */
export async function openStore(options: StoreOptions, onError: (error: Error) => void = () => {}): Promise<Store> {
  const store = options.kind === 'sqlite' ? openFile(options, onError) : await openPostgres(options, onError);
  return refuseNesting(store);
}

type SqliteOptions = Extract<StoreOptions, { kind: 'sqlite' }>;

/** A folder that is not there or not ours is the operator's to put right. */
function openFile(options: SqliteOptions, onError: (error: Error) => void): Store {
  const { file, mustExist = false } = options;
  if (mustExist && isAbsent(file)) throw relayErrors.make('STORE_LOST', { field: 'dataDir', detail: `No ${file}` });
  try {
    return openSqlite(options, onError);
  } catch (cause) {
    if (isDamage(cause)) throw damaged(file, cause);
    const { syscall, code } = cause as NodeJS.ErrnoException;
    if (syscall === undefined && code !== 'SQLITE_CANTOPEN') throw cause;
    throw relayErrors.make('DATA_DIR_UNUSABLE', { field: 'dataDir', detail: (cause as Error).message, cause });
  }
}

/** A transaction inside a transaction waits for itself on SQLite and can drain the pool on PostgreSQL. */
function refuseNesting(store: Store): Store {
  const inside = new AsyncLocalStorage<true>();
  const guarded = <T>(start: () => Promise<T>): Promise<T> =>
    inside.getStore() ? Promise.reject(new TypeError('a transaction was begun inside another')) : start();
  return {
    kind: store.kind,
    get kysely() {
      return store.kysely;
    },
    inTenant: (partnerId, fn) => guarded(() => store.inTenant(partnerId, (trx) => inside.run(true, fn, trx))),
    system: (fn) => guarded(() => store.system((trx) => inside.run(true, fn, trx))),
    ...(store.sqliteBatch ? { sqliteBatch: store.sqliteBatch } : {}),
    close: () => store.close(),
  };
}
