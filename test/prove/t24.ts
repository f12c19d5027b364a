import pg from 'pg';
import { DIRECTORY_TABLES, type Store, TENANT_TABLES, type Tx } from '../../relay/store/index.ts';
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
      await tenantAlone(store, tenants, { tally, random, swaps });
      await withoutContext(store, tally);
      await ownerSeesNothing(database, tally);
      return result(tally, await asSuperuser(database, tenants[0].partnerId));
    } finally {
      await store.close();
    }
  } finally {
    await server.stop();
  }
}

/** Every single case must fail without row-level security: one that does not could never fail. */
function result(tally: Tally, control: Tally): ProofResult {
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: control.cases > 0 && control.faults.length === control.cases,
      detail: `a role that bypasses row-level security reached foreign rows in ${control.faults.length} of ${control.cases} cases`,
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
    await tenantAlone(store, tenants, { tally, random, swaps });
  } finally {
    await close();
  }
}

async function tenantAlone(
  store: Store,
  tenants: Pair,
  turns: { tally: Tally; random: () => number; swaps: number },
): Promise<void> {
  const { partnerId } = tenants[0];
  await forgetWhere(handlerOf(store, partnerId), turns.tally);
  await auditStays(store, partnerId, turns.tally);
  await swapIds(store, tenants, turns);
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

/** Children first, so that no reference refuses a delete; `partner` stays, for its audit events cannot go. */
const EMPTIED: readonly Table[] = [
  'provision_session',
  ...TENANT_TABLES.filter((table) => !['provision_session', 'partner', 'audit_event'].includes(table)).reverse(),
];
const UPDATED = TENANT_TABLES.filter((table) => table !== 'audit_event');

/** Statements as a handler writes them that forgot its filter; each counts rows. */
interface Forgetful {
  readonly name: string;
  /** How many rows a select gives, and how many of them are not of `partnerId`. */
  select(table: Table): Promise<{ rows: number; foreign: number }>;
  /** For each table: the tenant's own rows, and the rows the statement took. All of it is rolled back. */
  remove(tables: readonly Table[]): Promise<Taken[]>;
  update(tables: readonly Table[]): Promise<Taken[]>;
}

interface Taken {
  readonly table: Table;
  readonly own: number;
  readonly taken: number;
}

/** All rows of all tables, for reading and for writing: exactly the tenant's own are reached. */
async function forgetWhere(handler: Forgetful, tally: Tally): Promise<void> {
  const { name } = handler;
  for (const table of TENANT_TABLES) {
    const { rows, foreign } = await handler.select(table);
    check(tally, rows > 0 && foreign === 0, `${name}: select on ${table} gave ${foreign} foreign rows`);
  }
  for (const { table, own, taken } of await handler.remove(EMPTIED)) {
    check(tally, own > 0 && taken === own, `${name}: delete on ${table} took ${taken} rows, own are ${own}`);
  }
  for (const { table, own, taken } of await handler.update(UPDATED)) {
    check(tally, own > 0 && taken === own, `${name}: update on ${table} took ${taken} rows, own are ${own}`);
  }
}

class RolledBack extends Error {}

function handlerOf(store: Store, partnerId: string): Forgetful {
  /** Counts what `statement` takes in one transaction, table after table, then takes it back. */
  async function taking(
    tables: readonly Table[],
    statement: (trx: Tx, table: 'device') => Promise<number>,
  ): Promise<Taken[]> {
    const all: Taken[] = [];
    await store
      .inTenant(partnerId, async (trx) => {
        for (const table of tables) {
          const own = await trx
            .selectFrom(table as 'device')
            .select((eb) => eb.fn.countAll().as('count'))
            .where(tenantColumn(table) as 'partner_id', '=', partnerId)
            .executeTakeFirstOrThrow();
          all.push({ table, own: Number(own.count), taken: await statement(trx, table as 'device') });
        }
        throw new RolledBack();
      })
      .catch((error) => {
        if (!(error instanceof RolledBack)) throw error;
      });
    return all;
  }
  return {
    name: store.kind,
    async select(table) {
      const rows = await store.inTenant(partnerId, (trx) =>
        trx
          .selectFrom(table as 'site')
          .selectAll()
          .execute(),
      );
      const foreign = rows.filter((row) => (row as Record<string, unknown>)[tenantColumn(table)] !== partnerId);
      return { rows: rows.length, foreign: foreign.length };
    },
    remove: (tables) =>
      taking(tables, async (trx, table) =>
        Number((await trx.deleteFrom(table).executeTakeFirstOrThrow()).numDeletedRows),
      ),
    update: (tables) =>
      taking(tables, async (trx, table) => {
        const set = { [tenantColumn(table)]: partnerId };
        return Number((await trx.updateTable(table).set(set).executeTakeFirstOrThrow()).numUpdatedRows);
      }),
  };
}

/** An audit event stays as written whoever asks. */
async function auditStays(store: Store, partnerId: string, tally: Tally): Promise<void> {
  const attempts: Record<string, (trx: Tx) => Promise<unknown>> = {
    delete: (trx: Tx) => trx.deleteFrom('audit_event').execute(),
    update: (trx: Tx) => trx.updateTable('audit_event').set({ action: 'changed' }).execute(),
  };
  for (const [verb, attempt] of Object.entries(attempts)) {
    const isRefused = await store.inTenant(partnerId, attempt).then(
      () => false,
      () => true,
    );
    check(tally, isRefused, `${store.kind}: ${verb} on audit_event was not refused`);
  }
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

/** The control: the same forgotten filters, with the tenant's context set, where row-level security does not bind. */
function superuser(client: pg.Client, partnerId: string): Forgetful {
  const ownCount = async (table: Table) =>
    (await client.query(`SELECT count(*)::int AS count FROM ${table} WHERE ${tenantColumn(table)} = $1`, [partnerId]))
      .rows[0].count as number;
  async function taking(tables: readonly Table[], statement: (table: Table) => string): Promise<Taken[]> {
    const all: Taken[] = [];
    await client.query('BEGIN');
    for (const table of tables) {
      const own = await ownCount(table);
      all.push({ table, own, taken: (await client.query(statement(table))).rowCount ?? 0 });
    }
    await client.query('ROLLBACK');
    return all;
  }
  return {
    name: 'superuser',
    async select(table) {
      const { rows } = await client.query(`SELECT ${tenantColumn(table)} AS partner_id FROM ${table}`);
      return { rows: rows.length, foreign: rows.filter((row) => row.partner_id !== partnerId).length };
    },
    remove: (tables) => taking(tables, (table) => `DELETE FROM ${table}`),
    update: (tables) =>
      taking(tables, (table) => `UPDATE ${table} SET ${tenantColumn(table)} = ${tenantColumn(table)}`),
  };
}

async function asSuperuser(database: TestDatabase, partnerId: string): Promise<Tally> {
  const tally: Tally = { cases: 0, faults: [] };
  await withClient(database.superUrl, async (client) => {
    await client.query("SELECT set_config('sitewarden.partner_id', $1, false)", [partnerId]);
    await forgetWhere(superuser(client, partnerId), tally);
  });
  return tally;
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
