import { PassThrough } from 'node:stream';
import { createLogger } from '@sitewarden/kit/log';
import t from 'tap';
import { createSignInLink } from '../../../relay/accounts/index.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { invite, join, PASSWORD, signIn } from '../../helpers/invites.ts';
import { seedPartner, startTestRelay, testClock } from '../../helpers/relay.ts';
import { StaffClient } from '../../helpers/staff-client.ts';

const EMAIL = 'kim@partner.example';
const WRONG = 'a guess like any other';
const KIM = { email: EMAIL, name: 'Kim Field', role: 'operator' } as const;
const CSRF = { status: 403, body: { code: 'CSRF_REFUSED' } };

async function world(start: Start) {
  const clock = testClock();
  const relay = await start({ clock });
  const partnerId = await seedPartner(relay.store);
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const kim = await join(relay, admin, KIM);
  return { relay, clock, partnerId, admin, kim };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

await onBothRelays(t, {
  'nobody learns who has an account: the answers are the same, byte for byte': async (t, start) => {
    const { relay, admin, kim } = await world(start);
    const gone = await join(relay, admin, { ...KIM, email: 'gone@partner.example', name: 'Gone' });
    await admin.call('changeUser', { params: { userId: gone.id }, body: { disabled: true } });
    t.ok(kim.id);
    const said = new Set<string>();
    for (const [email, password] of [
      [EMAIL, WRONG],
      ['nobody@partner.example', WRONG],
      ['no address at all', WRONG],
      ['gone@partner.example', PASSWORD],
    ] as const) {
      const { answer } = await signIn(relay, email, password);
      t.match(answer, { status: 401, body: { code: 'SIGN_IN_FAILED' } }, email);
      t.strictSame(answer.headers.getSetCookie(), []);
      said.add(JSON.stringify(answer.body));
    }
    t.equal(said.size, 1);
  },

  'the counters lock an unknown account like a known one, and say for how long': async (t, start) => {
    const { relay, clock } = await world(start);
    for (const email of [EMAIL, 'nobody@partner.example']) {
      for (let i = 0; i < 5; i += 1) t.equal((await signIn(relay, email, WRONG)).answer.status, 401);
      const { answer } = await signIn(relay, email);
      t.match(answer, { status: 429, body: { code: 'SIGN_IN_LOCKED', data: { retryAfterS: 1 } } }, email);
      t.equal(answer.headers.get('retry-after'), '1');
    }
    clock.advance(1000);
    t.equal((await signIn(relay, EMAIL)).answer.status, 200, 'the right password after the wait');
    for (let i = 0; i < 5; i += 1) t.equal((await signIn(relay, EMAIL, WRONG)).answer.status, 401, 'counted anew');
  },

  'many guesses at once have no more than there are': async (t, start) => {
    const { relay } = await world(start);
    const answers = await Promise.all(Array.from({ length: 30 }, () => signIn(relay, EMAIL, WRONG)));
    const looked = answers.filter(({ answer }) => answer.status === 401).length;
    t.equal(looked, 5);
    t.equal(answers.filter(({ answer }) => answer.status === 429).length, 25);
  },

  'a sign-in gives a new token, ends the session before, and a planted one leads nowhere': async (t, start) => {
    const { relay, kim } = await world(start);
    const before = kim.client.cookie;
    const answer = await kim.client.call('signInWithPassword', { body: { email: EMAIL, password: PASSWORD } });
    t.equal(answer.status, 200);
    t.not(kim.client.cookie, before);
    const old = new StaffClient(relay.url);
    old.cookie = before;
    t.equal((await old.call('session')).status, 401);

    const planted = `sitewarden_session=${'A'.repeat(43)}`;
    const victim = new StaffClient(relay.url);
    victim.cookie = planted;
    await victim.call('signInWithPassword', { body: { email: EMAIL, password: PASSWORD } });
    t.not(victim.cookie, planted);
    const attacker = new StaffClient(relay.url);
    attacker.cookie = planted;
    t.equal((await attacker.call('session')).status, 401);
  },

  'a page of another site can neither sign in, accept, invite nor change a password': async (t, start) => {
    const { relay, admin, kim } = await world(start);
    const evil = { origin: 'https://evil.example' };
    const cases: [StaffClient, string, string, unknown][] = [
      [kim.client, 'POST', '/api/session/password', { email: EMAIL, password: PASSWORD }],
      [kim.client, 'POST', '/api/users/me/password', { current: PASSWORD, next: `${PASSWORD}!` }],
      [admin, 'POST', '/api/users/invite', { ...KIM, email: 'lee@partner.example' }],
      [admin, 'PUT', `/api/users/${kim.id}`, { disabled: true }],
      [admin, 'DELETE', `/api/users/invites/inv_${'a'.repeat(26)}`, undefined],
      [kim.client, 'POST', '/api/users/invite/accept', { token: 'A'.repeat(43), password: PASSWORD }],
    ];
    for (const [client, method, path, body] of cases) {
      t.match(await client.request(method, path, body, evil), CSRF, `${method} ${path}`);
      t.match(await client.request(method, path, body, { 'x-sitewarden': '0' }), CSRF, `${method} ${path}`);
    }
    t.equal((await signIn(relay, EMAIL)).answer.status, 200, 'nothing changed');
  },

  'a change needs the present password and ends the other sessions, not this one': async (t, start) => {
    const { relay, clock, kim } = await world(start);
    const other = (await signIn(relay, EMAIL)).client;
    const next = 'another horse battery';
    const change = (body: object) => kim.client.call('changeOwnPassword', { body });
    t.match(await change({ next }), { status: 422, body: { code: 'PASSWORD_WRONG', field: '/current' } });
    t.match(await change({ current: WRONG, next }), { status: 422, body: { code: 'PASSWORD_WRONG' } });
    t.match(await change({ current: PASSWORD, next: 'short' }), { status: 422, body: { code: 'PASSWORD_UNFIT' } });
    t.equal((await other.call('session')).status, 200);
    t.equal((await change({ current: PASSWORD, next })).status, 200);
    t.equal((await other.call('session')).status, 401);
    t.equal((await kim.client.call('session')).status, 200);
    t.equal((await signIn(relay, EMAIL)).answer.status, 401, 'the old one is over');
    t.equal((await signIn(relay, EMAIL, next)).answer.status, 200);
    for (let i = 0; i < 5; i += 1) await change({ current: WRONG, next: PASSWORD });
    t.match(await change({ current: next, next: PASSWORD }), { status: 429, body: { code: 'SIGN_IN_LOCKED' } });
    clock.advance(60_000);
    t.equal((await change({ current: next, next: PASSWORD })).status, 200);
  },

  'the admin of the first start sets e-mail and password; a link replaces a lost one for 15 minutes': async (
    t,
    start,
  ) => {
    const { relay, clock, partnerId, admin } = await world(start);
    const set = (client: StaffClient, body: object) => client.call('changeOwnPassword', { body });
    t.match((await admin.call('me')).body, { email: null, hasPassword: false, needsCurrent: false });
    t.match(await set(admin, { next: PASSWORD }), { status: 422, body: { code: 'EMAIL_NEEDED', field: '/email' } });
    t.match(await set(admin, { next: PASSWORD, email: EMAIL }), { status: 409, body: { code: 'EMAIL_TAKEN' } });
    t.equal((await set(admin, { next: PASSWORD, email: 'Ada@partner.example' })).status, 200);
    t.match((await signIn(relay, 'ada@partner.example')).answer, { status: 200, body: { name: 'Ada Moreno' } });
    t.match(await set(admin, { next: PASSWORD, email: 'other@partner.example' }), { status: 400 });

    const link = async () =>
      createSignInLink(relay.store, {
        publicUrl: relay.publicUrl,
        role: 'admin',
        name: 'Ada Moreno',
        partnerId,
        nowMs: clock.nowMs(),
      });
    const lost = new StaffClient(relay.url);
    await lost.signIn((await link()).url);
    t.match((await lost.call('me')).body, { needsCurrent: false });
    clock.advance(15 * 60_000);
    t.match((await lost.call('me')).body, { needsCurrent: true });
    t.match(await set(lost, { next: 'yet another battery' }), { status: 422, body: { code: 'PASSWORD_WRONG' } });
    await lost.signIn((await link()).url);
    t.equal((await set(lost, { next: 'yet another battery' })).status, 200);
    t.equal((await signIn(relay, 'ada@partner.example', 'yet another battery')).answer.status, 200);
  },
});

t.test('a wrong password and an unknown e-mail take the same time', async (t) => {
  const clock = testClock();
  const relay = await startTestRelay((fn) => t.teardown(fn), { clock });
  const admin = await relay.staff(await seedPartner(relay.store), 'admin');
  await join(relay, admin, KIM);
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let i = 0; i < 15; i += 1) {
    for (const [kind, email] of [
      ['known', EMAIL],
      ['unknown', 'nobody@partner.example'],
    ] as const) {
      clock.advance(60 * 60_000);
      const began = performance.now();
      t.equal((await signIn(relay, email, WRONG)).answer.status, 401);
      times[kind].push(performance.now() - began);
    }
  }
  const [known, unknown] = [median(times.known), median(times.unknown)];
  const ratio = Math.max(known, unknown) / Math.min(known, unknown);
  t.ok(ratio < 1.5, `${known.toFixed(0)} ms and ${unknown.toFixed(0)} ms`);
});

t.test('what failed sign-ins used up survives a restart', async (t) => {
  const clock = testClock();
  const dataDir = t.testdir();
  const first = await startTestRelay((fn) => t.teardown(fn), { clock, dataDir });
  for (let i = 0; i < 5; i += 1) await signIn(first, EMAIL, WRONG);
  await first.close();
  const second = await startTestRelay((fn) => t.teardown(fn), { clock, dataDir });
  t.match((await signIn(second, EMAIL, WRONG)).answer, { status: 429, body: { code: 'SIGN_IN_LOCKED' } });
});

t.test('neither token nor password reaches the log, whatever its level', async (t) => {
  const lines: string[] = [];
  const destination = new PassThrough();
  destination.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
  const log = createLogger({ name: 'test-relay', level: 'trace', destination });
  const relay = await startTestRelay((fn) => t.teardown(fn), { log });
  const admin = await relay.staff(await seedPartner(relay.store), 'admin');
  const { token } = await invite(admin, KIM);
  const client = new StaffClient(relay.url);
  await client.call('greetInvited', { params: { token } });
  await client.request('GET', `/api/users/invite/validate/${token}/more`);
  await client.request('DELETE', `/api/users/invite/validate/${token}`);
  await client.call('acceptInvite', { body: { token, password: 'short' } });
  await client.call('acceptInvite', { body: { token, password: PASSWORD } });
  await signIn(relay, EMAIL);
  await signIn(relay, EMAIL, WRONG);
  const text = lines.join('');
  t.match(text, 'greetInvited', 'requests are logged by the name of their route');
  for (const secret of [token, PASSWORD, WRONG]) t.notOk(text.includes(secret));
});
