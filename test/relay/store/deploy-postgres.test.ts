import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { createPartner } from '../../../relay/accounts/index.ts';
import { openStore } from '../../../relay/store/index.ts';
import { migratePostgres } from '../../../relay/store/postgres/migrate.ts';
import { listTenants } from '../../../relay/store/repositories/directory.ts';
import { startPostgres } from '../../helpers/postgres.ts';

const DOC = readFileSync(join(import.meta.dirname, '../../../docs/operations/deploy.md'), 'utf8');

t.test('a relay runs on PostgreSQL as the deployment guide sets it up', async (t) => {
  const server = await startPostgres();
  t.teardown(() => server.stop());
  const { superUrl } = await server.createDatabase();
  const sql = /```sql\n([\s\S]*?)```/.exec(DOC)?.[1] ?? '';
  const statements = sql.split(';').map((one) => one.trim());
  const admin = new pg.Client({ connectionString: superUrl });
  await admin.connect();
  // The guide begins on a server that has never had a relay.
  await admin.query('DROP ROLE sitewarden_app');
  for (const statement of statements.filter(Boolean)) await admin.query(statement);
  await admin.end();

  const as = (role: string, password: string) => {
    const url = new URL(superUrl);
    Object.assign(url, { username: role, password: encodeURIComponent(password), pathname: '/sitewarden' });
    return url.href;
  };
  const owner = as('sitewarden_owner', 'change me');
  t.ok((await migratePostgres(owner, 1)).length > 0);
  const store = await openStore({ kind: 'postgres', connectionString: as('sitewarden_relay', 'change me too') });
  t.teardown(() => store.close());
  const partnerId = await createPartner(store, { name: 'Partner', nowMs: 1 });
  t.same(await store.system(listTenants), [partnerId]);
  await t.rejects(openStore({ kind: 'postgres', connectionString: owner }), 'the owner of the tables may not serve');
});
