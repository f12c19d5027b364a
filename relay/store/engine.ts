import { PostgresAdapter, sql } from 'kysely';
import type { StoreKind, Tx } from './types.ts';

/** Which engine a transaction runs on, for the few statements only one of them has. */
export function engineOf(trx: Tx): StoreKind {
  return trx.getExecutor().adapter instanceof PostgresAdapter ? 'postgres' : 'sqlite';
}

/**
 * Until this transaction ends, others that ask for the same lock wait. SQLite has one writer, so there is nothing to do.
 * `name` is hashed: two names may share a lock, which costs waiting and nothing else.
 */
export async function lockFor(trx: Tx, name: string): Promise<void> {
  if (engineOf(trx) === 'sqlite') return;
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(trx);
}
