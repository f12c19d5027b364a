import type Database from 'better-sqlite3';

export type SqliteDatabase = Database.Database;

/** Appended only: a name that was ever applied keeps its place for good. */
export interface Migration {
  /** `0001-first`: four digits counting from 1, then words. */
  readonly name: string;
  /** Runs inside a transaction with foreign keys checked; must not begin or end one. */
  up(db: SqliteDatabase): void;
}

export interface OpenOptions {
  readonly migrations: readonly Migration[];
  /** Opens an existing database without writing: no migration runs, none may be missing. */
  readonly readonly?: boolean;
  /** Looks at the database before anything is written to it; what it throws is thrown. */
  readonly check?: (db: SqliteDatabase) => void;
  /** How long one statement waits for another connection. Default 5000. */
  readonly busyTimeoutMs?: number;
}
