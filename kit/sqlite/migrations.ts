import { kitErrors } from '../errors/index.ts';
import { rememberSchema } from './schema-seal.ts';
import { withTransaction } from './transaction.ts';
import type { Migration, SqliteDatabase } from './types.ts';

/** Names already applied, in order; empty for a new database. */
export function appliedMigrations(db: SqliteDatabase): string[] {
  const exists = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'").get();
  if (exists === undefined) return [];
  const rows = db
    .prepare<[], { position: number; name: string }>('SELECT position, name FROM migration ORDER BY position')
    .all();
  const gap = rows.findIndex((row, index) => row.position !== index + 1);
  if (gap >= 0) throw changed(`Applied migration ${gap + 1} is missing`, gap + 1);
  return rows.map((row) => row.name);
}

/** Runs what is missing, one transaction each. Throws SQLITE_MIGRATIONS_CHANGED before touching anything. */
export function migrate(db: SqliteDatabase, migrations: readonly Migration[], nowMs: number): void {
  checkNames(migrations);
  const applied = appliedMigrations(db);
  checkApplied(applied, migrations);
  if (applied.length === migrations.length && applied.length > 0) return;
  db.exec(
    'CREATE TABLE IF NOT EXISTS migration (position INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT',
  );
  for (let index = applied.length; index < migrations.length; index++) {
    applyOne(db, migrations[index]!, { position: index + 1, nowMs });
  }
  checkApplied(appliedMigrations(db), migrations);
}

/** For a connection that cannot migrate: throws unless exactly these were applied. */
export function assertMigrated(db: SqliteDatabase, migrations: readonly Migration[]): void {
  checkNames(migrations);
  const applied = appliedMigrations(db);
  checkApplied(applied, migrations);
  const next = migrations[applied.length];
  if (next !== undefined) throw changed(`Migration ${next.name} was not applied yet`, applied.length + 1);
}

function applyOne(db: SqliteDatabase, migration: Migration, at: { position: number; nowMs: number }): void {
  try {
    withTransaction(db, () => {
      // Another process may have been first while this one waited for the write lock.
      if (db.prepare('SELECT 1 FROM migration WHERE position = ?').get(at.position) !== undefined) return;
      migration.up(db);
      db.prepare('INSERT INTO migration (position, name, applied_at) VALUES (?, ?, ?)').run(
        at.position,
        migration.name,
        new Date(at.nowMs).toISOString(),
      );
      rememberSchema(db);
    });
  } catch (cause) {
    throw kitErrors.make('SQLITE_MIGRATION_FAILED', {
      detail: `Migration ${migration.name} failed: ${(cause as Error).message}`,
      cause,
      data: { name: migration.name },
    });
  }
}

function checkNames(migrations: readonly Migration[]): void {
  for (const [index, { name }] of migrations.entries()) {
    const number = String(index + 1).padStart(4, '0');
    if (!name.startsWith(`${number}-`) || !/^\d{4}(-[a-z0-9]+)+$/.test(name)) {
      throw new TypeError(`migration ${index + 1} is named ${name}; it must be ${number}-some-words`);
    }
  }
}

function checkApplied(applied: readonly string[], migrations: readonly Migration[]): void {
  for (const [index, name] of applied.entries()) {
    const known = migrations[index]?.name;
    if (known === name) continue;
    const what = known === undefined ? 'is not known to this program' : `is named ${known} in this program`;
    throw changed(`Applied migration ${name} ${what}`, index + 1);
  }
}

function changed(detail: string, position: number): Error {
  return kitErrors.make('SQLITE_MIGRATIONS_CHANGED', { detail, data: { position } });
}
