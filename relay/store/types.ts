import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { Kysely, Transaction } from 'kysely';
import type { DirectoryDatabase, RelayDatabase } from './schema.ts';

/** A look at the whole database before it is used, begun on no further table once the time is used up. */
export interface StartCheck {
  readonly withinMs: number;
  onDone(report: CheckReport): void;
}

export interface CheckReport {
  readonly tookMs: number;
  /** Tables for which there was no time. */
  readonly leftOut: readonly string[];
}

/**
 * `mustExist`: a file that is not there was lost and is not made anew.
 * `connectionString`: the role the relay works as. `migrateConnectionString`: the owner of the tables.
 */
export type StoreOptions =
  | { kind: 'sqlite'; file: string; mustExist?: boolean; check?: StartCheck }
  | {
      kind: 'postgres';
      connectionString: string;
      migrateConnectionString?: string | undefined;
      maxConnections?: number;
    };

export type StoreKind = StoreOptions['kind'];

/** A transaction that sees and changes one tenant's rows only. */
export type Tx = Transaction<RelayDatabase>;
/** A transaction for the directory tables. */
export type DirectoryTx = Transaction<DirectoryDatabase>;

export interface Store {
  readonly kind: StoreKind;
  /**
   * Runs `fn` in one transaction of one tenant and resolves once it is committed to disk; any error rolls back and
   * is thrown. Inside, wait for nothing but the transaction itself: on SQLite all others wait meanwhile. Publish, log
   * and answer after it. Not to be nested. `fn` may run again after a deadlock on PostgreSQL, so it must only touch rows.
   */
  inTenant<T>(partnerId: string, fn: (trx: Tx) => Promise<T>): Promise<T>;
  /** The same for what is known before the tenant is: the directory tables. Tenant tables read empty on PostgreSQL. */
  system<T>(fn: (trx: DirectoryTx) => Promise<T>): Promise<T>;
  /**
   * SQLite only, for one batch over many tenants: runs `fn` with the engine's own handle in one transaction. No tenant
   * filter stands between, so every statement names its tenant itself.
   */
  readonly sqliteBatch?: <T>(fn: (db: SqliteDatabase) => T) => Promise<T>;
  /** Outside every tenant and transaction: for migrations, catalogue checks and tests. */
  readonly kysely: Kysely<RelayDatabase>;
  close(): Promise<void>;
}
