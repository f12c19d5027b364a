import { sql } from 'kysely';
import t from 'tap';
import { appendAudit, auditHash, GENESIS, verifyAudit } from '../../relay/audit/index.ts';
import { onBothEngines } from '../helpers/engines.ts';
import { seedTenant } from '../helpers/seed-tenant.ts';

await onBothEngines(t, async (t, fresh, engine) => {
  await t.test('a transaction is there as a whole or not at all', async (t) => {
    const store = await fresh(t);
    const { partnerId } = await seedTenant(store);
    const insert = (id: string) =>
      store.inTenant(partnerId, async (trx) => {
        await trx.insertInto('client').values({ id, partner_id: partnerId, name: id, created_at_ms: 1 }).execute();
        if (id === 'bad') throw new Error('refused');
        return id;
      });
    const outcomes = await Promise.allSettled(['one', 'bad', 'two', 'three'].map(insert));
    t.strictSame(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    );
    const rows = await store.inTenant(partnerId, (trx) =>
      trx.selectFrom('client').select('name').where('name', '<>', 'Clinic').orderBy('name').execute(),
    );
    t.strictSame(
      rows.map(({ name }) => name),
      ['one', 'three', 'two'],
      'the failed neighbour took nothing with it',
    );
  });

  await t.test('a commit that fails takes back its rows, and the store goes on', async (t) => {
    const store = await fresh(t);
    const { partnerId, rows } = await seedTenant(store);
    // More often than there are connections.
    for (let round = 0; round < 12; round++) {
      const failing = store.inTenant(partnerId, async (trx) => {
        await trx.updateTable('site').set({ name: 'lost' }).where('id', '=', rows.site.id).execute();
        await sql`CREATE TEMP TABLE parent (id BIGINT PRIMARY KEY)`.execute(trx);
        await sql`CREATE TEMP TABLE child (id BIGINT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)`.execute(
          trx,
        );
        await sql`INSERT INTO child VALUES (1)`.execute(trx);
        return 'only the commit fails';
      });
      await t.rejects(failing, { code: engine === 'sqlite' ? 'SQLITE_CONSTRAINT_FOREIGNKEY' : '23503' });
    }
    const site = await store.inTenant(partnerId, (trx) => trx.selectFrom('site').select('name').executeTakeFirst());
    t.match(site, { name: rows.site.name });
  });

  await t.test('callers that come together do not see halves of each other', async (t) => {
    const store = await fresh(t);
    const { partnerId, rows } = await seedTenant(store);
    const increments = 100;
    await Promise.all(
      Array.from({ length: increments }, () =>
        store.inTenant(partnerId, (trx) =>
          trx
            .updateTable('appliance')
            .set((eb) => ({ order_seq: eb('order_seq', '+', 1) }))
            .where('id', '=', rows.appliance.id)
            .execute(),
        ),
      ),
    );
    const row = await store.inTenant(partnerId, (trx) =>
      trx.selectFrom('appliance').select('order_seq').executeTakeFirstOrThrow(),
    );
    t.equal(row.order_seq, increments);
  });

  await t.test('a transaction inside another is refused instead of waiting for itself', async (t) => {
    const store = await fresh(t);
    const { partnerId } = await seedTenant(store);
    const nested = store.inTenant(partnerId, () => store.system(async () => 1));
    await t.rejects(nested, { name: 'TypeError' });
    t.equal(await store.system(async () => 2), 2, 'the store goes on');
  });

  await t.test('big numbers come back as numbers', async (t) => {
    const store = await fresh(t);
    const { partnerId } = await seedTenant(store);
    const atMs = 1_900_000_000_000;
    await store.inTenant(partnerId, (trx) => trx.updateTable('site').set({ created_at_ms: atMs }).execute());
    const row = await store.inTenant(partnerId, (trx) =>
      trx.selectFrom('site').select('created_at_ms').executeTakeFirstOrThrow(),
    );
    t.equal(row.created_at_ms, atMs);
  });

  await t.test('rows hang under parents of their own tenant only', async (t) => {
    const store = await fresh(t);
    const [own, other] = [await seedTenant(store), await seedTenant(store)];
    const stray = { ...own.rows.device, id: 'dev_x', appliance_id: other.rows.appliance.id };
    await t.rejects(store.inTenant(own.partnerId, (trx) => trx.insertInto('device').values(stray).execute()));
    const site = { ...own.rows.site, id: 'site_x', name: 'x', client_id: other.rows.client.id };
    await t.rejects(store.inTenant(own.partnerId, (trx) => trx.insertInto('site').values(site).execute()));
  });

  await t.test('a site has one appliance that is not revoked', async (t) => {
    const store = await fresh(t);
    const { partnerId, rows } = await seedTenant(store);
    const second = { ...rows.appliance, id: 'app_2', dik_fingerprint: 'another' };
    const insert = () => store.inTenant(partnerId, (trx) => trx.insertInto('appliance').values(second).execute());
    await t.rejects(insert());
    await store.inTenant(partnerId, (trx) => trx.updateTable('appliance').set({ state: 'revoked' }).execute());
    await t.resolves(insert());
  });

  await t.test('an upsert never reaches the row of another tenant', async (t) => {
    const store = await fresh(t);
    const [own, other] = [await seedTenant(store), await seedTenant(store)];
    const upsert = store.inTenant(own.partnerId, (trx) =>
      trx
        .insertInto('client')
        .values({ ...other.rows.client, partner_id: own.partnerId, name: 'Taken over' })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ name: 'Taken over' }))
        .execute(),
    );
    await Promise.allSettled([upsert]);
    const row = await store.inTenant(other.partnerId, (trx) =>
      trx.selectFrom('client').selectAll().executeTakeFirstOrThrow(),
    );
    t.strictSame({ ...row }, other.rows.client);
  });

  await t.test('joins, subqueries and updates from other tables stay inside the tenant', async (t) => {
    const store = await fresh(t);
    const [own] = [await seedTenant(store), await seedTenant(store)];
    await store.inTenant(own.partnerId, async (trx) => {
      const joined = await trx
        .selectFrom('client as c')
        .leftJoin('site as s', (join) => join.on((eb) => eb.or([eb.lit(true), eb('s.id', '=', 'x')])))
        .select(['c.id as client', 's.id as site'])
        .execute();
      t.strictSame(
        joined.map((row) => ({ ...row })),
        [{ client: own.rows.client.id, site: own.rows.site.id }],
      );
      const counted = await trx
        .selectFrom('client')
        .select((eb) =>
          eb
            .selectFrom('site')
            .select(({ fn }) => fn.countAll<number>().as('n'))
            .as('sites'),
        )
        .executeTakeFirstOrThrow();
      t.equal(Number(counted.sites), 1);
      const inList = await trx
        .selectFrom('site')
        .select('id')
        .where('id', 'in', (eb) => eb.selectFrom('appliance').select('site_id'))
        .execute();
      t.equal(inList.length, 1);
      const or = await trx
        .selectFrom('site')
        .select('id')
        .where((eb) => eb.or([eb('name', '=', 'nothing'), eb.lit(true)]))
        .execute();
      t.equal(or.length, 1, 'an OR in the filter does not open it');
    });
  });

  await t.test('the audit chain holds each event to the one before, also when many append at once', async (t) => {
    const store = await fresh(t);
    const { partnerId } = await seedTenant(store);
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        store.inTenant(partnerId, (trx) =>
          appendAudit(trx, {
            partnerId,
            atMs: index,
            actor: 'Kim',
            action: 'test.done',
            ref: `r${index}`,
            detail: { index },
          }),
        ),
      ),
    );
    const events = await store.inTenant(partnerId, (trx) =>
      trx.selectFrom('audit_event').selectAll().orderBy('id').execute(),
    );
    t.equal(events.length, 41);
    let prev = GENESIS;
    for (const event of events) {
      t.equal(event.prev_hash, prev);
      t.equal(event.hash, auditHash(prev, event));
      prev = event.hash;
    }
    const verdict = await store.inTenant(partnerId, (trx) => verifyAudit(trx, partnerId));
    t.strictSame(verdict, { events: 41, brokenAt: null });
    // As somebody could who forges one hash and forgets the event after it.
    const forged = { ...(events[40] as (typeof events)[0]), prev_hash: events[39]?.hash ?? '', hash: 'f'.repeat(64) };
    await store.inTenant(partnerId, (trx) =>
      trx
        .insertInto('audit_event')
        .values({ ...forged, id: undefined as never, prev_hash: prev })
        .execute(),
    );
    const after = await store.inTenant(partnerId, (trx) => verifyAudit(trx, partnerId));
    t.match(after, { events: 41, brokenAt: Number });
  });

  await t.test('an audit event can be neither changed nor removed', async (t) => {
    const store = await fresh(t);
    const { partnerId } = await seedTenant(store);
    await t.rejects(store.inTenant(partnerId, (trx) => trx.updateTable('audit_event').set({ actor: 'x' }).execute()));
    await t.rejects(store.inTenant(partnerId, (trx) => trx.deleteFrom('audit_event').execute()));
  });

  if (engine === 'sqlite') {
    await t.test(
      'after a fault of the disk the file is opened anew, and nobody is told that it was written',
      async (t) => {
        const store = await fresh(t);
        const { partnerId, rows } = await seedTenant(store);
        const rename = (name: string) =>
          store.inTenant(partnerId, (trx) =>
            trx.updateTable('site').set({ name }).where('id', '=', rows.site.id).execute(),
          );
        const fault = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' });
        const failing = store.inTenant(partnerId, async (trx) => {
          await trx.updateTable('site').set({ name: 'lost' }).execute();
          throw fault;
        });
        await t.rejects(failing, { code: 'OVERLOADED' });
        await t.rejects(rename('too soon'), { code: 'OVERLOADED' });
        const deadlineMs = Date.now() + 10_000;
        let isBack = false;
        while (!isBack && Date.now() < deadlineMs) {
          isBack = await rename('again').then(
            () => true,
            () => false,
          );
          if (!isBack) await new Promise((resolve) => setTimeout(resolve, 50));
        }
        t.equal(isBack, true, 'it opens again by itself');
        const site = await store.inTenant(partnerId, (trx) => trx.selectFrom('site').select('name').executeTakeFirst());
        t.match(site, { name: 'again' });
      },
    );

    await t.test('a query that cannot be kept inside its tenant is refused', async (t) => {
      const store = await fresh(t);
      const { partnerId, rows } = await seedTenant(store);
      const outer = store.inTenant(partnerId, (trx) =>
        trx.selectFrom('client').fullJoin('site', 'site.client_id', 'client.id').selectAll('site').execute(),
      );
      await t.rejects(outer, { message: /cannot be filtered/ });
      const silent = store.inTenant(partnerId, (trx) =>
        trx
          .insertInto('client')
          .values({ ...rows.client, id: 'x', partner_id: 'ptn_other' })
          .execute(),
      );
      await t.rejects(silent, { message: /names another tenant/ });
    });
  }
});
