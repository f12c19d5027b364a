import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openStore, type Store } from '../../../relay/store/index.ts';
import { FIND_BOXES_SQL } from '../../../relay/store/repositories/boxes.ts';
import { CHECKIN_SQL } from '../../../relay/store/repositories/live.ts';
import { siteFactsQuery } from '../../../relay/store/repositories/sites.ts';
import { seedPartner } from '../../helpers/relay.ts';

type Plan = { detail: string }[];

const planOf = (store: Store, sql: string, parameters: readonly unknown[]) =>
  store.sqliteBatch?.((db) =>
    (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as Plan).map((row) => row.detail),
  ) ?? Promise.resolve([]);

/** Tables of the relay that are read from end to end; what a statement made itself is small. */
const scanned = (plan: readonly string[]) =>
  plan.filter((line) => /^SCAN (?!j VIRTUAL|trouble|result)/.test(line)).map((line) => line.split(' ')[1]);

t.test('hot statements read by their indexes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sitewarden-plans-'));
  const store = await openStore({ kind: 'sqlite', file: join(folder, 'relay.db') });
  t.teardown(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const partnerId = await seedPartner(store);

  await t.test('a batch of check-ins', async (t) => {
    const plan = await planOf(store, CHECKIN_SQL.sqliteKnown, [0, '[]']);
    t.same(scanned(plan), []);
    t.match(plan.join('\n'), /SEARCH o USING INDEX site_order_waiting \(appliance_id=\? AND state=\?\)/);
  });

  await t.test('boxes by their keys', async (t) => {
    t.same(scanned(await planOf(store, FIND_BOXES_SQL, ['[]'])), []);
  });

  await t.test(
    'the list of sites reads what belongs to a site once, and of incidents and checks only the troubled',
    async (t) => {
      const query = await store.inTenant(partnerId, async (trx) => siteFactsQuery(trx, {}).compile());
      const text = (await planOf(store, query.sql, query.parameters)).join('\n');
      t.match(text, /SEARCH appliance USING INDEX appliance_one_active \(partner_id=\? AND site_id=\?\)/);
      t.match(text, /SEARCH appliance_live USING INDEX \S+ \(appliance_id=\?\)/);
      t.match(text, /SEARCH evidence_log USING INDEX \S+ \(appliance_id=\? AND epoch=\?\)/);
      t.match(text, /USING (COVERING )?INDEX check_latest_not_passed \(partner_id=\?\)/);
      t.match(text, /USING COVERING INDEX incident_open \(partner_id=\?\)/);
    },
  );

  await t.test('one site reads no other', async (t) => {
    const query = await store.inTenant(partnerId, async (trx) =>
      siteFactsQuery(trx, { siteId: `site_${'a'.repeat(26)}` }).compile(),
    );
    t.same(scanned(await planOf(store, query.sql, query.parameters)), []);
  });
});
