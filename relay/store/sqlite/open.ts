import { statSync } from 'node:fs';
import { isDamage, openDatabase, quickCheckWithin, type SqliteDatabase } from '@sitewarden/kit/sqlite';
import { Kysely } from 'kysely';
import { relayErrors } from '../../errors.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import type { RelayDatabase } from '../schema.ts';
import { tenantFilter } from '../tenant-filter.ts';
import type { DirectoryTx, StartCheck, Store, StoreOptions } from '../types.ts';
import { damaged } from './damaged.ts';
import { RelaySqliteDialect } from './dialect.ts';
import { SqliteTransactions } from './transactions.ts';

/** After a disk fault a reopen is tried at most this often. */
const REOPEN_AFTER_MS = 1000;

/** The default of 2 MiB reads most pages of a fleet's list anew each time. */
const CACHE_KIB = 32 * 1024;

const migrations = MIGRATIONS.map(({ name, statements }) => ({
  name,
  up: (db: { exec(sql: string): unknown }) => {
    for (const statement of statements('sqlite')) db.exec(statement);
  },
}));

function connect(file: string, check?: StartCheck) {
  const db = openDatabase(file, {
    migrations,
    ...(check === undefined ? {} : { check: (fresh: SqliteDatabase) => runCheck(fresh, check) }),
  });
  db.pragma(`cache_size = -${CACHE_KIB}`);
  const kysely = new Kysely<RelayDatabase>({ dialect: new RelaySqliteDialect(db) });
  return { db, kysely, transactions: new SqliteTransactions(kysely, db) };
}

function runCheck(db: SqliteDatabase, { withinMs, onDone }: StartCheck): void {
  const beganMs = performance.now();
  const leftOut = quickCheckWithin(db, withinMs);
  onDone({ tookMs: Math.round(performance.now() - beganMs), leftOut });
}

/** Cut to nothing is as good as gone: SQLite would begin it anew. */
export const isAbsent = (file: string): boolean => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0;

/** One file, one writer. After a failed write the file is opened anew before anything is accepted again. */
export function openSqlite(
  { file, check }: Extract<StoreOptions, { kind: 'sqlite' }>,
  onError: (error: Error) => void,
): Store {
  let current = connect(file, check);
  let failedAtMs: number | undefined;

  function usable(): ReturnType<typeof connect> {
    if (failedAtMs === undefined) return current;
    if (performance.now() - failedAtMs < REOPEN_AFTER_MS) throw relayErrors.make('OVERLOADED');
    failedAtMs = performance.now();
    // It was open before: anew it would be empty, and serve so.
    if (isAbsent(file)) {
      const lost = relayErrors.make('STORE_LOST', { field: 'dataDir', detail: `No ${file}` });
      onError(lost);
      throw lost;
    }
    try {
      current = connect(file);
    } catch (cause) {
      onError(cause as Error);
      throw isDamage(cause)
        ? damaged(file, cause)
        : relayErrors.make('OVERLOADED', { detail: 'The database is not open', cause });
    }
    failedAtMs = undefined;
    return current;
  }

  async function run<T>(work: Parameters<SqliteTransactions['run']>[0]): Promise<T> {
    const { db, transactions } = usable();
    try {
      return (await transactions.run(work)) as T;
    } catch (cause) {
      const isUseless = isDiskFault(cause) || transactions.isStuck;
      if (isUseless && db.open) {
        failedAtMs = performance.now();
        onError(cause as Error);
        db.close();
      }
      // Those that waited behind the failed write meet a closed file.
      if (isUseless || !db.open) throw relayErrors.make('OVERLOADED', { cause });
      throw cause;
    }
  }

  return {
    kind: 'sqlite',
    get kysely() {
      return usable().kysely;
    },
    inTenant: (partnerId, fn) => run((trx) => fn(trx.withPlugin(tenantFilter(partnerId)))),
    system: (fn) => run((trx) => fn(trx as unknown as DirectoryTx)),
    sqliteBatch: (fn) => run(async () => fn(current.db)),
    async close() {
      await current.transactions.idle();
      await current.kysely.destroy();
      if (current.db.open) current.db.close();
    },
  };
}

function isDiskFault(error: unknown): boolean {
  const code = String((error as { code?: unknown } | undefined)?.code);
  return code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}
