import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { migratePostgres, openStore } from '../../relay/store/index.ts';
import { postgresConfig, startPostgres } from '../helpers/postgres.ts';
import { seedPartner, startTestRelay } from '../helpers/relay.ts';

t.test('the relay works only as a role that row-level security binds', async (t) => {
  const server = await startPostgres();
  t.teardown(() => server.stop());
  const { appUrl, ownerUrl, superUrl } = await server.createDatabase();
  await t.rejects(openStore({ kind: 'postgres', connectionString: appUrl }), { code: 'STORE_NOT_MIGRATED' });
  t.match(await migratePostgres(ownerUrl, 1), ['0001-first']);
  t.strictSame(await migratePostgres(ownerUrl, 1), [], 'a second time there is nothing to do');
  await t.rejects(openStore({ kind: 'postgres', connectionString: ownerUrl }), { code: 'STORE_ROLE_UNSAFE' });
  await t.rejects(openStore({ kind: 'postgres', connectionString: superUrl }), { code: 'STORE_ROLE_UNSAFE' });
  const store = await openStore({ kind: 'postgres', connectionString: appUrl });
  await store.close();
});

t.test('while the database is away callers are told to come again', async (t) => {
  const server = await startPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'sitewarden-away-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const store = await postgresConfig(await server.createDatabase(), folder);
  const relay = await startTestRelay((fn) => t.teardown(fn), { store });
  const partnerId = await seedPartner(relay.store);
  const admin = await relay.staff(partnerId, 'admin');
  t.equal((await admin.call('clients')).status, 200);
  await server.stop();
  const answer = await admin.call('clients');
  t.match(answer, { status: 503, body: { code: 'OVERLOADED' } });
  t.match(answer.headers.get('retry-after'), /^[0-9]+$/);
  t.match(await (await fetch(`${relay.url}/health`)).json(), { ok: false, store: 'postgres' });
});
