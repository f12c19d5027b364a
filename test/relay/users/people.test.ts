import t from 'tap';
import { planChange } from '../../../relay/accounts/users.ts';
import type { PersonRow } from '../../../relay/store/repositories/people.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { join, signIn } from '../../helpers/invites.ts';
import { seedPartner, seedSite, type TestRelay } from '../../helpers/relay.ts';
import type { StaffClient } from '../../helpers/staff-client.ts';

const LAST_ADMIN = { status: 409, body: { code: 'LAST_ADMIN' } };

async function world(start: Start) {
  const relay = await start();
  const partnerId = await seedPartner(relay.store);
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const adminId = (await admin.call<{ id: string }>('me')).body.id;
  const change = (userId: string, body: object, client = admin) =>
    client.call<{ code?: string }>('changeUser', { params: { userId }, body });
  return { relay, partnerId, admin, adminId, change };
}

/** Reads an event stream until it ends; answers with all it said. */
async function readToEnd(relay: TestRelay, client: StaffClient): Promise<{ done: Promise<string> }> {
  const response = await fetch(`${relay.url}/api/events`, {
    headers: { cookie: client.cookie ?? '' },
    signal: AbortSignal.timeout(20_000),
  });
  t.equal(response.status, 200);
  return { done: response.text() };
}

const PERSON: PersonRow = {
  id: 'stf_x',
  name: 'Tim',
  email: null,
  role: 'technician',
  siteIds: ['site_a', 'site_b'],
  siteNames: ['A', 'B'],
  hasPassword: false,
  lastSignInAtMs: null,
  createdAtMs: 1,
  disabledAtMs: null,
};

t.test('sessions end when what somebody may do changes, and only then', async (t) => {
  const ends = (change: object, person = PERSON) => planChange(person, change).endsSessions;
  t.equal(ends({}), false);
  t.equal(ends({ name: 'Tom' }), false);
  t.equal(ends({ role: 'technician', siteIds: ['site_b', 'site_a'], disabled: false }), false);
  t.equal(ends({ siteIds: ['site_a'] }), true);
  t.equal(ends({ siteIds: ['site_a', 'site_c'] }), true);
  t.equal(ends({ role: 'operator' }), true);
  t.equal(ends({ disabled: true }), true);
  t.equal(ends({ disabled: false }, { ...PERSON, disabledAtMs: 5 }), true);
  t.strictSame(planChange(PERSON, { role: 'admin' }).siteIds, [], 'other roles have no sites');
  t.throws(() => planChange(PERSON, { role: 'admin', siteIds: ['site_a'] }), { code: 'BODY_INVALID' });
});

await onBothRelays(t, {
  'a disabled person is out at once, with the event stream, and comes back when enabled': async (t, start) => {
    const { relay, admin, change } = await world(start);
    const kim = await join(relay, admin, { email: 'kim@partner.example', name: 'Kim', role: 'operator' });
    const stream = await readToEnd(relay, kim.client);
    const began = performance.now();
    t.match(await change(kim.id, { disabled: true }), { status: 200, body: { disabledAtMs: Number } });
    t.equal((await kim.client.call('session')).status, 401);
    t.match(await stream.done, 'event: end');
    t.ok(performance.now() - began < 5000, 'the stream ended within seconds');
    t.match((await signIn(relay, 'kim@partner.example')).answer, { status: 401, body: { code: 'SIGN_IN_FAILED' } });
    t.match(await change(kim.id, { disabled: false }), { status: 200, body: { disabledAtMs: null } });
    t.equal((await kim.client.call('session')).status, 401, 'the old session stays dead');
    t.equal((await signIn(relay, 'kim@partner.example')).answer.status, 200);
  },

  'another role or other sites end the sessions; another name does not': async (t, start) => {
    const { relay, admin, partnerId, change } = await world(start);
    const { siteId } = await seedSite(relay.store, partnerId);
    const kim = await join(relay, admin, { email: 'kim@partner.example', name: 'Kim', role: 'technician' });
    t.match(await change(kim.id, { name: 'Kim Field' }), { status: 200, body: { name: 'Kim Field' } });
    t.match((await kim.client.call('session')).body, { name: 'Kim Field' });
    t.match(await change(kim.id, { siteIds: [siteId] }), { status: 200, body: { siteIds: [siteId] } });
    t.equal((await kim.client.call('session')).status, 401);
    const again = (await signIn(relay, 'kim@partner.example')).client;
    t.match(await change(kim.id, { role: 'operator' }), { status: 200, body: { role: 'operator', siteIds: [] } });
    t.equal((await again.call('session')).status, 401);
    t.match(await change(kim.id, { siteIds: [siteId] }), { status: 400, body: { field: '/siteIds' } });
    t.match(await change(`stf_${'a'.repeat(26)}`, { name: 'X' }), { status: 404, body: { code: 'NOT_FOUND' } });
  },

  'a company keeps an admin, also when two admins act at once': async (t, start) => {
    const { relay, admin, adminId, change } = await world(start);
    t.match(await change(adminId, { disabled: true }), LAST_ADMIN);
    t.match(await change(adminId, { role: 'operator' }), LAST_ADMIN);
    t.equal((await change(adminId, { name: 'Ada' })).status, 200);
    const lee = await join(relay, admin, { email: 'lee@partner.example', name: 'Lee', role: 'admin' });
    const answers = await Promise.all([
      change(lee.id, { role: 'readonly' }),
      change(adminId, { disabled: true }, lee.client),
    ]);
    t.equal(answers.filter(({ status }) => status === 200).length, 1, JSON.stringify(answers.map(({ body }) => body)));
  },

  'a disabled admin does not count as one': async (t, start) => {
    const { relay, admin, adminId, change } = await world(start);
    const lee = await join(relay, admin, { email: 'lee@partner.example', name: 'Lee', role: 'admin' });
    await change(lee.id, { disabled: true });
    t.match(await change(adminId, { role: 'operator' }), LAST_ADMIN);
    await change(lee.id, { disabled: false });
    t.equal((await change(adminId, { role: 'operator' })).status, 200);
    t.equal((await admin.call('users')).status, 401, 'who gave it up is out at once');
  },

  'every change of a person is in the audit chain with who did it': async (t, start) => {
    const { relay, admin, adminId, partnerId, change } = await world(start);
    const kim = await join(relay, admin, { email: 'kim@partner.example', name: 'Kim', role: 'operator' });
    await change(kim.id, { name: 'Kim Field', role: 'admin' });
    await change(kim.id, { disabled: true });
    await change(kim.id, { disabled: false });
    await change(kim.id, {});
    const events = await relay.store.inTenant(partnerId, (trx) =>
      trx.selectFrom('audit_event').selectAll().where('ref', '=', kim.id).orderBy('id').execute(),
    );
    t.strictSame(
      events.slice(2).map(({ action, actor }) => `${action} ${actor}`),
      ['staff.changed Ada Moreno', 'staff.disabled Ada Moreno', 'staff.enabled Ada Moreno'],
    );
    t.match(JSON.parse(events[2]?.detail ?? '{}'), { role: 'admin', roleBefore: 'operator', staffId: adminId });
  },
});
