import pg from 'pg';
import { DIRECTORY_TABLES, type Store, TENANT_TABLES } from '../../relay/store/index.ts';
import { type StoreMaker, sqliteStores } from '../helpers/engines.ts';
import { openTestPostgres, startPostgres, type TestDatabase } from '../helpers/postgres.ts';
import { type SeededTenant, seedTenant } from '../helpers/seed-tenant.ts';
import { seededRandom } from './lib/random.ts';
import type { ProofResult } from './promises.ts';

type Table = (typeof TENANT_TABLES)[number];

interface Tally {
  cases: number;
  readonly faults: string[];
}

const FULL_SWAPS = 10_000;
const QUICK_SWAPS = 300;

/** Tenants are apart even if a WHERE is forgotten: both engines as the relay opens them; control as a superuser. */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const tally: Tally = { cases: 0, faults: [] };
  const random = seededRandom(seed);
  const swaps = full ? FULL_SWAPS : QUICK_SWAPS;
  await proveSqlite(sqliteStores(), { tally, random, swaps });
  const server = await startPostgres();
  try {
    const database = await server.createDatabase();
    await checkCatalogue(database, tally);
    const store = await openTestPostgres(database);
    try {
      const tenants = await seedTenants(store);
      await forgetWhere(store, tenants, tally);
      await swapIds(store, tenants, { tally, random, swaps });
      await withoutContext(store, tally);
      await ownerSeesNothing(database, tally);
      return result(tally, await seenBySuperuser(database));
    } finally {
      await store.close();
    }
  } finally {
    await server.stop();
  }
}

function result(tally: Tally, foreignRows: number): ProofResult {
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: foreignRows > 0,
      detail: `a role that bypasses row-level security saw ${foreignRows} foreign rows`,
    },
    detail: tally.faults.slice(0, 5).join('; ') || 'no foreign row was seen or changed',
  };
}

async function proveSqlite(
  maker: StoreMaker,
  { tally, random, swaps }: { tally: Tally; random: () => number; swaps: number },
): Promise<void> {
  const { store, close } = await maker.make();
  try {
    const tenants = await seedTenants(store);
    await forgetWhere(store, tenants, tally);
    await swapIds(store, tenants, { tally, random, swaps });
  } finally {
    await close();
  }
}

type Pair = readonly [SeededTenant, SeededTenant];

async function seedTenants(store: Store): Promise<Pair> {
  return [await seedTenant(store), await seedTenant(store)];
}

function check(tally: Tally, isKept: boolean, fault: string): void {
  tally.cases += 1;
  if (!isKept) tally.faults.push(fault);
}

const tenantColumn = (table: Table) => (table === 'partner' ? 'id' : 'partner_id');

/** A handler without any filter: all rows of all tables, for reading and for writing. */
async function forgetWhere(store: Store, [own, other]: Pair, tally: Tally): Promise<void> {
  for (const table of TENANT_TABLES) {
    const rows = await store.inTenant(own.partnerId, (trx) =>
      trx
        .selectFrom(table as 'site')
        .selectAll()
        .execute(),
    );
    const foreign = rows.filter((row) => (row as Record<string, unknown>)[tenantColumn(table)] !== own.partnerId);
    check(
      tally,
      rows.length > 0 && foreign.length === 0,
      `${store.kind}: ${table} gave ${foreign.length} foreign rows`,
    );
  }
  for (const table of TENANT_TABLES) {
    const before = await fingerprintOf(store, other.partnerId, table);
    // Rolled back: what matters is that the other tenant's rows are not even touched before that.
    await store
      .inTenant(own.partnerId, async (trx) => {
        await trx.deleteFrom(table as 'device').execute();
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    const after = await fingerprintOf(store, other.partnerId, table);
    check(tally, before !== '[]' && before === after, `${store.kind}: an unfiltered delete reached ${table}`);
  }
  const deleted = await store.inTenant(own.partnerId, async (trx) => {
    const { numDeletedRows } = await trx.deleteFrom('device').executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  });
  const left = await fingerprintOf(store, other.partnerId, 'device');
  check(tally, deleted === 1 && left !== '[]', `${store.kind}: an unfiltered delete took ${deleted} rows`);
  const renamed = await store.inTenant(own.partnerId, async (trx) => {
    const { numUpdatedRows } = await trx.updateTable('site').set({ name: 'Renamed' }).executeTakeFirstOrThrow();
    return Number(numUpdatedRows);
  });
  check(tally, renamed === 1, `${store.kind}: an unfiltered update took ${renamed} rows`);
}

async function fingerprintOf(store: Store, partnerId: string, table: Table): Promise<string> {
  const rows = await store.inTenant(partnerId, (trx) =>
    trx
      .selectFrom(table as 'site')
      .selectAll()
      .execute(),
  );
  return JSON.stringify(rows);
}

/** Random ids of the other tenant, asked for, changed, removed and written by this one. */
async function swapIds(
  store: Store,
  [own, other]: Pair,
  { tally, random, swaps }: { tally: Tally; random: () => number; swaps: number },
): Promise<void> {
  const tables = TENANT_TABLES.filter((table) => table !== 'audit_event');
  for (let turn = 0; turn < swaps; turn += 1) {
    const table = tables[Math.floor(random() * tables.length)] as Exclude<Table, 'audit_event'>;
    const row = other.rows[table] as Record<string, unknown>;
    const [column, value] = identifying(row, random);
    const kind = Math.floor(random() * 4);
    const reached = await attack(store, own.partnerId, { table, row, column, value, kind });
    check(tally, reached === 0, `${store.kind}: ${['select', 'update', 'delete', 'insert'][kind]} reached ${table}`);
  }
}

/** A column whose value the other tenant's row alone has. */
function identifying(row: Record<string, unknown>, random: () => number): [string, unknown] {
  const unique = Object.entries(row).filter(([, value]) => typeof value === 'string' && value.length > 20);
  return unique[Math.floor(random() * unique.length)] as [string, unknown];
}

interface Attack {
  table: Table;
  row: Record<string, unknown>;
  column: string;
  value: unknown;
  kind: number;
}

/** How many foreign rows the attempt reached. */
async function attack(store: Store, partnerId: string, { table, row, column, value, kind }: Attack): Promise<number> {
  const name = table as 'client';
  const key = column as 'id';
  const id = value as string;
  if (kind === 0) {
    const rows = await store.inTenant(partnerId, (trx) =>
      trx.selectFrom(name).selectAll().where(key, '=', id).execute(),
    );
    return rows.length;
  }
  if (kind === 1) {
    const result = await store.inTenant(partnerId, (trx) =>
      trx
        .updateTable(name)
        .set({ [tenantColumn(table)]: partnerId })
        .where(key, '=', id)
        .executeTakeFirstOrThrow(),
    );
    return Number(result.numUpdatedRows);
  }
  if (kind === 2) {
    const result = await store.inTenant(partnerId, (trx) =>
      trx.deleteFrom(name).where(key, '=', id).executeTakeFirstOrThrow(),
    );
    return Number(result.numDeletedRows);
  }
  // The row as the other tenant has it, made new by this one.
  return store
    .inTenant(partnerId, (trx) =>
      trx
        .insertInto(name)
        .values(row as never)
        .execute(),
    )
    .then(() => 1)
    .catch(() => 0);
}

async function withoutContext(store: Store, tally: Tally): Promise<void> {
  for (const table of TENANT_TABLES) {
    const rows = await store.kysely
      .selectFrom(table as 'site')
      .selectAll()
      .execute();
    check(tally, rows.length === 0, `no context: ${table} gave ${rows.length} rows`);
    const inSystem = await store.system((trx) =>
      trx
        .selectFrom(table as never)
        .selectAll()
        .execute(),
    );
    check(tally, inSystem.length === 0, `system context: ${table} gave ${inSystem.length} rows`);
  }
}

/** FORCE: not even the owner of the tables sees a row without a context. */
async function ownerSeesNothing(database: TestDatabase, tally: Tally): Promise<void> {
  await withClient(database.ownerUrl, async (client) => {
    for (const table of TENANT_TABLES) {
      const { rows } = await client.query(`SELECT count(*)::int AS count FROM ${table}`);
      check(tally, rows[0].count === 0, `the owner saw ${rows[0].count} rows of ${table}`);
    }
  });
}

async function checkCatalogue(database: TestDatabase, tally: Tally): Promise<void> {
  await (await openTestPostgres(database)).close();
  await withClient(database.superUrl, async (client) => {
    const { rows } = await client.query(
      `SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
         (SELECT count(*)::int FROM pg_policy p
           WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL) AS policies
       FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')`,
    );
    const known = new Map(rows.map((row) => [row.name as string, row]));
    for (const table of TENANT_TABLES) {
      const row = known.get(table);
      check(tally, row?.forced === true && row.policies === 1, `${table} does not force row-level security`);
    }
    const open = new Set<string>([...DIRECTORY_TABLES, 'migration']);
    for (const [name, row] of known) {
      check(tally, row.forced === true || open.has(name), `${name} is neither a tenant table nor known as open`);
    }
    const grants = await client.query(
      `SELECT privilege_type FROM information_schema.role_table_grants
       WHERE grantee = 'sitewarden_app' AND table_name = 'audit_event'`,
    );
    const verbs = grants.rows.map((row) => row.privilege_type as string).sort();
    check(tally, verbs.join() === 'INSERT,SELECT', `audit_event is granted ${verbs.join(', ')}`);
    const role = await client.query(`SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'sitewarden_app'`);
    check(tally, !role.rows[0].rolsuper && !role.rows[0].rolbypassrls, 'the relay role bypasses row-level security');
  });
}

/** The control: the same forgotten filter where row-level security does not bind. */
async function seenBySuperuser(database: TestDatabase): Promise<number> {
  let seen = 0;
  await withClient(database.superUrl, async (client) => {
    await client.query("SELECT set_config('sitewarden.partner_id', 'ptn_nobody', false)");
    for (const table of TENANT_TABLES) {
      const { rows } = await client.query(`SELECT count(*)::int AS count FROM ${table}`);
      seen += rows[0].count;
    }
  });
  return seen;
}

async function withClient(connectionString: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
