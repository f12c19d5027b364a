import t, { type Test } from 'tap';
import { createSignInLink, disablePerson, isSessionAlive, SESSION_IDLE_MS } from '../../../relay/accounts/index.ts';
import { seedPartner, startTestRelay, testClock } from '../../helpers/relay.ts';
import { StaffClient } from '../../helpers/staff-client.ts';

const HOUR_MS = 3_600_000;

async function world(t: Test) {
  const clock = testClock();
  const relay = await startTestRelay((fn) => t.teardown(fn), { clock });
  const partnerId = await seedPartner(relay.store);
  const link = () =>
    createSignInLink(relay.store, {
      publicUrl: relay.publicUrl,
      role: 'operator',
      name: 'Kim',
      partnerId,
      nowMs: clock.nowMs(),
    });
  return { relay, clock, partnerId, link };
}

t.test('a link signs in once and the cookie is out of reach of scripts and other sites', async (t) => {
  const { relay, link } = await world(t);
  const { url } = await link();
  t.match(url, /\/sign-in#[A-Za-z0-9_-]{43}$/);
  const client = new StaffClient(relay.url);
  const answer = await client.signIn(url);
  t.match(answer, { status: 200, body: { name: 'Kim', role: 'operator', partner: { name: 'Partner' } } });
  const cookie = answer.headers.getSetCookie().join();
  t.match(cookie, /HttpOnly/);
  t.match(cookie, /SameSite=Strict/);
  t.match(await new StaffClient(relay.url).signIn(url), { status: 401, body: { code: 'SIGN_IN_LINK_INVALID' } });
  t.equal((await client.call('session')).status, 200);
});

t.test('one link used by many at once makes one session', async (t) => {
  const { relay, link } = await world(t);
  const { url } = await link();
  const answers = await Promise.all(Array.from({ length: 30 }, () => new StaffClient(relay.url).signIn(url)));
  t.equal(answers.filter(({ status }) => status === 200).length, 1);
});

t.test('a link ends after 15 minutes', async (t) => {
  const { relay, link, clock } = await world(t);
  const { url } = await link();
  clock.advance(15 * 60_000);
  t.match(await new StaffClient(relay.url).signIn(url), { status: 401, body: { code: 'SIGN_IN_LINK_INVALID' } });
});

t.test('a session ends after 30 minutes without use and after 12 hours in any case', async (t) => {
  const { relay, link, clock } = await world(t);
  const idle = new StaffClient(relay.url);
  await idle.signIn((await link()).url);
  clock.advance(SESSION_IDLE_MS - 60_000);
  t.equal((await idle.call('session')).status, 200);
  clock.advance(SESSION_IDLE_MS);
  t.match(await idle.call('session'), { status: 401, body: { code: 'UNAUTHENTICATED' } });

  const busy = new StaffClient(relay.url);
  await busy.signIn((await link()).url);
  for (let minutes = 0; minutes < 12 * 60 - 20; minutes += 20) {
    clock.advance(20 * 60_000);
    t.equal((await busy.call('session')).status, 200);
  }
  clock.advance(20 * 60_000);
  t.equal((await busy.call('session')).status, 401, 'use does not lengthen a session beyond 12 hours');
});

t.test('both limits of a session are exact', async (t) => {
  const row = { lastUsedAtMs: 0, expiresAtMs: 12 * HOUR_MS };
  t.equal(isSessionAlive(row, SESSION_IDLE_MS - 1), true);
  t.equal(isSessionAlive(row, SESSION_IDLE_MS), false);
  t.equal(isSessionAlive({ ...row, lastUsedAtMs: 12 * HOUR_MS - 1 }, 12 * HOUR_MS), false);
});

t.test('signing in again ends the session before and changes the token', async (t) => {
  const { relay, link } = await world(t);
  const client = new StaffClient(relay.url);
  await client.signIn((await link()).url);
  const before = new StaffClient(relay.url);
  before.cookie = client.cookie;
  await client.signIn((await link()).url);
  t.not(client.cookie, before.cookie);
  t.equal((await before.call('session')).status, 401);
  t.equal((await client.call('session')).status, 200);
});

t.test('a token somebody planted before does not become a session', async (t) => {
  const { relay, link } = await world(t);
  const client = new StaffClient(relay.url);
  client.cookie = `sitewarden_session=${'A'.repeat(43)}`;
  await client.signIn((await link()).url);
  t.not(client.cookie, `sitewarden_session=${'A'.repeat(43)}`);
  const planted = new StaffClient(relay.url);
  planted.cookie = `sitewarden_session=${'A'.repeat(43)}`;
  t.equal((await planted.call('session')).status, 401);
});

t.test('signing out and being disabled end a session at once', async (t) => {
  const { relay, link, partnerId } = await world(t);
  const client = new StaffClient(relay.url);
  await client.signIn((await link()).url);
  const copy = new StaffClient(relay.url);
  copy.cookie = client.cookie;
  t.equal((await client.call('signOut')).status, 200);
  t.equal((await copy.call('session')).status, 401);

  const second = await link();
  await client.signIn(second.url);
  const unused = await link();
  await disablePerson(relay.store, { partnerId, staffId: second.staffId, actor: 'test', nowMs: Date.now() });
  t.equal((await client.call('session')).status, 401);
  const left = await relay.store.system((trx) =>
    trx.selectFrom('secret_directory').select('kind').where('ref_id', '=', second.staffId).execute(),
  );
  t.strictSame(left, [{ kind: 'link' }], 'no trace of the session stays');
  t.equal((await new StaffClient(relay.url).signIn(unused.url)).status, 401, 'nor does an open link let them in');
});

t.test('behind TLS the cookie never travels without it, and the public address is the one that counts', async (t) => {
  const publicUrl = 'https://relay.test:443';
  const relay = await startTestRelay((fn) => t.teardown(fn), { publicUrl });
  const partnerId = await seedPartner(relay.store);
  const link = await createSignInLink(relay.store, {
    publicUrl,
    role: 'admin',
    name: 'Kim',
    partnerId,
    nowMs: Date.now(),
  });
  const client = new StaffClient(relay.url);
  const token = link.url.split('#')[1];
  const signIn = (origin: string) => client.request('POST', '/api/session', { token }, { origin });
  t.match(await signIn('http://relay.test'), { status: 403, body: { code: 'CSRF_REFUSED' } });
  const answer = await signIn('https://relay.test');
  t.equal(answer.status, 200);
  t.match(answer.headers.getSetCookie().join(), /; Secure/);
  t.match(answer.headers.get('strict-transport-security'), 'max-age');
});

t.test('a request from another site is refused, with the right cookie too', async (t) => {
  const { relay, link } = await world(t);
  const client = new StaffClient(relay.url);
  await client.signIn((await link()).url);
  const refused = { status: 403, body: { code: 'CSRF_REFUSED' } };
  const body = { name: 'Clinic' };
  t.match(await client.request('POST', '/api/clients', body, { origin: 'https://evil.example' }), refused);
  t.match(await client.request('POST', '/api/clients', body, { 'x-sitewarden': '0' }), refused);
  t.match(await client.request('POST', '/api/clients', body, { origin: 'null' }), refused);
  t.match(await client.request('DELETE', '/api/session', undefined, { origin: '' }), refused);
  t.equal((await client.call('session')).status, 200);
});

t.test('tokens are stored hashed and every sign-in is in the audit chain', async (t) => {
  const { relay, link, partnerId } = await world(t);
  const { url } = await link();
  const client = new StaffClient(relay.url);
  await client.signIn(url);
  const rows = await relay.store.inTenant(partnerId, async (trx) => ({
    sessions: await trx.selectFrom('staff_session').selectAll().execute(),
    links: await trx.selectFrom('sign_in_link').selectAll().execute(),
    audit: await trx.selectFrom('audit_event').selectAll().orderBy('id').execute(),
  }));
  const stored = JSON.stringify(rows);
  t.notOk(stored.includes(url.split('#')[1] ?? '-'));
  t.notOk(stored.includes(client.cookie?.split('=')[1] ?? '-'));
  t.strictSame(
    rows.audit.map(({ action }) => action),
    ['partner.created', 'staff.created', 'link.created', 'session.started'],
  );
});
