import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckinResponse } from '@sitewarden/agent-proto/http';
import t, { type Test } from 'tap';
import type { RelayConfig } from '../../../relay/config/index.ts';
import { postgresConfig, startPostgres } from '../../helpers/postgres.ts';
import { seedPartner, seedSite, startTestRelay } from '../../helpers/relay.ts';
import { checkinBody } from '../../helpers/sim-box.ts';

async function proveRelease(t: Test, store?: RelayConfig['store']): Promise<void> {
  const relay = await startTestRelay((fn) => t.teardown(fn), store ? { store } : {});
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const { box, applianceId } = await relay.claim(admin, siteId);
  const checkin = async (previousToken: string | null, devices = 0) =>
    (
      await box.send<CheckinResponse>('/api/appliances/checkin', {
        body: checkinBody({ previousToken, devices }),
      })
    ).body;
  const release = (id = applianceId, at = siteId) =>
    admin.call('releaseQuarantine', { params: { siteId: at }, body: { applianceId: id } });

  const { token } = await checkin(null);
  t.match(await release(), { status: 409, body: { code: 'APPLIANCE_NOT_QUARANTINED', field: '/applianceId' } });
  let real = await checkin(token);
  let copy = await checkin(token, 9);
  t.equal(copy.state, 'quarantined');
  real = await checkin(real.token);
  copy = await checkin(copy.token, 9);
  const orders = () => box.send<{ code?: string }>('/api/appliances/orders');
  t.match(await orders(), { status: 403, body: { code: 'APPLIANCE_QUARANTINED' } });

  t.match(await release(`app_${'a'.repeat(26)}`), { status: 409, body: { code: 'APPLIANCE_NOT_QUARANTINED' } });
  t.match(await release(applianceId, `site_${'a'.repeat(26)}`), { status: 404 });
  t.match(await release(), { status: 200, body: { appliance: { id: applianceId, state: 'active' } } });
  t.match(await release(), { status: 409 });
  t.match(await orders(), { status: 409, body: { code: 'CHECKIN_FIRST' } }, 'the next check-in says who it is');
  const { items } = (await admin.call<{ items: { text: string }[] }>('timeline', { params: { siteId } })).body;
  t.match(
    items.find(({ text }) => /released/.test(text)),
    { kind: 'config', actor: /Ada Moreno|staff/ },
  );

  real = await checkin(real.token);
  t.equal(real.state, 'active');
  t.equal((await orders()).status, 200, 'nothing remembers the quarantine');
  real = await checkin(real.token);
  t.equal(real.state, 'active');
  t.equal((await checkin(copy.token, 9)).state, 'quarantined', 'the other copy is caught again');
  t.match((await admin.call('site', { params: { siteId } })).body, {
    appliance: { state: 'quarantined' },
    summary: { nextStep: /releases the box/ },
  });
}

t.test('an admin releases a quarantined box, and a copy of it is caught again (SQLite)', (t) => proveRelease(t));

t.test('an admin releases a quarantined box, and a copy of it is caught again (PostgreSQL)', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sitewarden-release-'));
  const server = await startPostgres();
  t.teardown(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await t.test('through a whole relay', async (t) => {
    await proveRelease(t, await postgresConfig(await server.createDatabase(), folder));
  });
});
