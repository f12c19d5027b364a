import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { RelayDatabase } from '../schema.ts';
import type { Store, StoreOptions } from '../types.ts';
import { connectFault } from './connect.ts';
import { assertPostgresMigrated, assertPostgresRole, migratePostgres } from './migrate.ts';

const BIGINT_OID = 20;
const CONNECT_TIMEOUT_MS = 15_000;
/** A statement that runs longer holds locks others wait for; the longest honest one is far below. */
const STATEMENT_TIMEOUT = '30s';
/** Serialization failure and deadlock: the same transaction run again succeeds. */
const RETRYABLE = new Set(['40001', '40P01']);
const MAX_RUNS = 3;

export async function openPostgres(
  options: Extract<StoreOptions, { kind: 'postgres' }>,
  onError: (error: Error) => void,
): Promise<Store> {
  if (options.migrateConnectionString !== undefined) {
    await migratePostgres(options.migrateConnectionString, Date.now());
  }
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.maxConnections ?? 10,
    application_name: 'sitewarden-relay',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === BIGINT_OID ? Number : pg.types.getTypeParser(oid, format as 'text'),
    },
  });
  // An idle connection that breaks must not end the process; the next query opens another.
  pool.on('error', onError);
  try {
    await assertPostgresRole(pool);
    await assertPostgresMigrated(pool);
  } catch (error) {
    await pool.end();
    throw connectFault(error, 'store.connectionStringFile');
  }
  const kysely = new Kysely<RelayDatabase>({ dialect: new PostgresDialect({ pool }) });

  /** Settings are local to the transaction, so they also hold behind a pooler that shares connections. */
  async function within<T>(partnerId: string, fn: (trx: never) => Promise<T>): Promise<T> {
    for (let run = 1; ; run += 1) {
      try {
        return await kysely.transaction().execute(async (trx) => {
          await sql`SELECT set_config('sitewarden.partner_id', ${partnerId}, true),
            set_config('statement_timeout', ${STATEMENT_TIMEOUT}, true)`.execute(trx);
          return fn(trx as never);
        });
      } catch (error) {
        if (run >= MAX_RUNS || !RETRYABLE.has(String((error as { code?: unknown }).code))) throw error;
      }
    }
  }

  return {
    kind: 'postgres',
    kysely,
    inTenant: (partnerId, fn) => within(partnerId, fn as (trx: never) => ReturnType<typeof fn>),
    system: (fn) => within('', fn as (trx: never) => ReturnType<typeof fn>),
    close: () => kysely.destroy(),
  };
}
