import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { CompiledQuery, type DatabaseConnection, SqliteDialect, SqliteDriver, type SqliteStatement } from 'kysely';

/** More distinct texts than the relay has; a program that builds texts without end must not fill the memory. */
const MAX_STATEMENTS = 1000;

/** Kysely's own dialect prepares each query anew, which costs more than most of them take. */
function withStatementCache(db: SqliteDatabase) {
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => void db.close(),
    hasTransaction: () => db.inTransaction,
    prepare(sql: string): SqliteStatement {
      const known = statements.get(sql);
      if (known !== undefined) return known;
      if (statements.size >= MAX_STATEMENTS) statements.clear();
      const statement = db.prepare(sql) as unknown as SqliteStatement;
      statements.set(sql, statement);
      return statement;
    },
  };
}

class ImmediateDriver extends SqliteDriver {
  readonly #hasTransaction: () => boolean;

  constructor(database: ReturnType<typeof withStatementCache>) {
    super({ database });
    this.#hasTransaction = database.hasTransaction;
  }

  /** Takes the write lock first: a read that later wants to write could meet SQLITE_BUSY_SNAPSHOT, which no wait cures. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** After a full disk or another fault of it SQLite has rolled back already, and would refuse to do so twice. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#hasTransaction()) await super.rollbackTransaction(connection);
  }
}

export class RelaySqliteDialect extends SqliteDialect {
  readonly #database: ReturnType<typeof withStatementCache>;

  constructor(db: SqliteDatabase) {
    const database = withStatementCache(db);
    super({ database });
    this.#database = database;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#database);
  }
}
