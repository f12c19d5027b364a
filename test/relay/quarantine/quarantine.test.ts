import t, { type Test } from 'tap';
import { differencesOf } from '../../../relay/quarantine/index.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';
import { checkinBody } from '../../helpers/sim-box.ts';

const OTHER_BOOT = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

interface View {
  isQuarantined: boolean;
  sinceMs: number | null;
  machines: {
    bootId: string;
    address: string;
    hostname: string;
    hasLostChain: boolean;
    firstSeenMs: number;
    lastSeenMs: number;
  }[];
  differences: { name: string; values: string[] }[];
}

t.test('what changes all the time does not tell machines apart, what stays does', async (t) => {
  const one = checkinBody({ telemetry: { hostname: 'box-a', uptime_s: 5, mac_addresses: ['02:00:00:00:00:01'] } });
  const two = checkinBody({ telemetry: { hostname: 'box-b', uptime_s: 900 }, counter: 9 });
  t.strictSame(differencesOf([one, two]), [
    { name: 'hostname', values: ['box-a', 'box-b'] },
    { name: 'mac_addresses', values: ['02:00:00:00:00:01', ''] },
  ]);
  t.strictSame(differencesOf([one, one]), []);
});

async function claimedSite(start: Start) {
  const relay = await start();
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  return { relay, partnerId, siteId, admin, ...(await relay.claim(admin, siteId)) };
}

await onBothRelays(t, {
  'staff see both machines, since when, from where and what differs, and decide which is genuine': async (
    t: Test,
    start: Start,
  ) => {
    const { relay, partnerId, siteId, admin, box, applianceId } = await claimedSite(start);
    const params = { siteId };
    const checkin = async (previousToken: string | null, over: object = {}) =>
      (
        await box.send<{ token: string; state: string }>('/api/appliances/checkin', {
          body: checkinBody({ previousToken, telemetry: { hostname: 'front-desk' }, ...over }),
        })
      ).body;
    const look = async () => (await admin.call<View>('quarantine', { params })).body;
    const copied = { bootId: OTHER_BOOT, telemetry: { hostname: 'cloned-vm' } };

    const { token } = await checkin(null);
    t.match(await look(), { isQuarantined: false, machines: [] });
    const real = await checkin(token);
    t.equal((await checkin(token, copied)).state, 'quarantined');
    const view = await look();
    t.match(view, {
      isQuarantined: true,
      sinceMs: Number,
      machines: [
        { hostname: 'front-desk', address: '127.0.0.1', hasLostChain: false },
        { hostname: 'cloned-vm', address: '127.0.0.1', bootId: OTHER_BOOT },
      ],
      differences: [{ name: 'hostname', values: ['front-desk', 'cloned-vm'] }],
    });
    const listed = await admin.request<{ sites: { isQuarantined: boolean; nextStep: string; sinceMs: number }[] }>(
      'GET',
      '/api/sites',
    );
    t.match(listed.body.sites, [{ isQuarantined: true, nextStep: /quarantine page/, sinceMs: view.sinceMs }]);

    await checkin(real.token, { ...copied, counter: 4 });
    await relay.services.sightings.flush();
    const later = await look();
    t.equal(later.machines.length, 2, 'the same machine again is the same machine');
    t.ok((later.machines[1]?.lastSeenMs ?? 0) >= (view.machines[1]?.lastSeenMs ?? 0));

    const body = { applianceId, genuineBootId: view.machines[0]?.bootId };
    const operator = await relay.staff(partnerId, 'operator');
    t.equal((await operator.call('releaseQuarantine', { params, body })).status, 403);
    t.match(await admin.call('releaseQuarantine', { params, body }), { status: 200 });
    t.match(await look(), { isQuarantined: false, machines: [] });
    t.equal((await checkin(real.token, { ...copied, counter: 5 })).state, 'quarantined', 'the copy is held off');
    t.equal((await checkin(real.token)).state, 'active');
    const audit = await relay.store.inTenant(partnerId, (trx) =>
      trx.selectFrom('audit_event').select('detail').where('action', '=', 'appliance.released').execute(),
    );
    t.match(audit[0]?.detail, /genuineBootId/);
  },
  'a box that lost its place in the chain says so, and is not called two boxes for sure': async (
    t: Test,
    start: Start,
  ) => {
    const { siteId, admin, box } = await claimedSite(start);
    const send = (over: object) => box.send<{ state: string }>('/api/appliances/checkin', { body: checkinBody(over) });
    t.equal((await send({ telemetry: { hostname: 'box' } })).body.state, 'active');
    const lost = { previousToken: null, telemetry: { hostname: 'box', checkin_chain_lost: true }, counter: 1 };
    t.equal((await send(lost)).body.state, 'quarantined');
    const { body } = await admin.call<View>('quarantine', { params: { siteId } });
    t.match(body, { isQuarantined: true, machines: [{ hostname: 'box', hasLostChain: true }] });
    t.equal(body.machines.length, 1);
  },
});
