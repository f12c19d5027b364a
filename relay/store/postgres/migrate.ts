import pg from 'pg';
import { relayErrors } from '../../errors.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { connectFault } from './connect.ts';

const CONNECT_TIMEOUT_MS = 15_000;

/** Two relays that start at once must not migrate at once. The number is arbitrary. */
const LOCK = 7_134_911_260;

/** Brings the database to the newest migration as the owner of the tables, one transaction each. */
export async function migratePostgres(connectionString: string, nowMs: number): Promise<string[]> {
  const client = new pg.Client({
    connectionString,
    application_name: 'sitewarden-migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  try {
    await client.connect();
  } catch (error) {
    throw connectFault(error, 'store.migrateConnectionStringFile');
  }
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await client.query(
      'CREATE TABLE IF NOT EXISTS migration (position BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)',
    );
    const applied = await appliedNames(client);
    assertKnown(applied);
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < applied.length) continue;
      await client.query('BEGIN');
      try {
        for (const statement of migration.statements('postgres')) await client.query(statement);
        await client.query('INSERT INTO migration VALUES ($1, $2, $3)', [index + 1, migration.name, nowMs]);
        await client.query('COMMIT');
      } catch (cause) {
        await client.query('ROLLBACK');
        const detail = `Migration ${migration.name} failed: ${(cause as Error).message}`;
        throw relayErrors.make('STORE_MIGRATION_FAILED', { detail, cause });
      }
    }
    return MIGRATIONS.slice(applied.length).map(({ name }) => name);
  } finally {
    await client.end();
  }
}

interface Queryable {
  query(text: string): Promise<{ rows: unknown[] }>;
}

async function appliedNames(client: Queryable): Promise<string[]> {
  const { rows } = await client.query('SELECT name FROM migration ORDER BY position');
  return (rows as { name: string }[]).map(({ name }) => name);
}

function assertKnown(applied: readonly string[]): void {
  const stranger = applied.find((name, index) => MIGRATIONS[index]?.name !== name);
  if (stranger === undefined) return;
  throw relayErrors.make('STORE_NOT_MIGRATED', { detail: `The database holds migration ${stranger}` });
}

/** For the relay's own role, which cannot migrate: throws STORE_NOT_MIGRATED unless exactly ours were applied. */
export async function assertPostgresMigrated(client: Queryable): Promise<void> {
  const { rows } = await client.query("SELECT to_regclass('migration') IS NOT NULL AS present");
  const isPresent = (rows[0] as { present: boolean } | undefined)?.present === true;
  const applied = isPresent ? await appliedNames(client) : [];
  assertKnown(applied);
  const next = MIGRATIONS[applied.length];
  if (next === undefined) return;
  throw relayErrors.make('STORE_NOT_MIGRATED', { detail: `Migration ${next.name} was not applied yet` });
}

/** Row-level security binds neither superusers nor roles that bypass it, and an owner could switch it off. */
export async function assertPostgresRole(client: Queryable): Promise<void> {
  const { rows } = await client.query(
    `SELECT rolname, rolsuper OR rolbypassrls AS is_exempt,
       EXISTS (SELECT 1 FROM pg_class WHERE relname = 'partner' AND pg_has_role(current_user, relowner, 'USAGE')) AS is_owner
     FROM pg_roles WHERE rolname = current_user`,
  );
  const role = rows[0] as { rolname: string; is_exempt: boolean; is_owner: boolean } | undefined;
  if (role !== undefined && !role.is_exempt && !role.is_owner) return;
  throw relayErrors.make('STORE_ROLE_UNSAFE', { detail: `The role is ${role?.rolname ?? 'unknown'}` });
}
