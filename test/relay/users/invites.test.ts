import { AsyncLocalStorage } from 'node:async_hooks';
import { sql } from 'kysely';
import t from 'tap';
import { disablePerson, INVITE_TTL_MS } from '../../../relay/accounts/index.ts';
import { createInvites, inviteState } from '../../../relay/accounts/invites.ts';
import type { Store } from '../../../relay/store/index.ts';
import { lockPeople } from '../../../relay/store/repositories/people.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { readQr } from '../../helpers/box.ts';
import { invite, join, PASSWORD, signIn } from '../../helpers/invites.ts';
import { seedPartner, seedSite, testClock } from '../../helpers/relay.ts';
import { StaffClient } from '../../helpers/staff-client.ts';

const KIM = { email: 'Kim.Field@Partner.example', name: 'Kim Field', role: 'operator' } as const;
const INVALID = { status: 401, body: { code: 'INVITE_INVALID' } };

/** The store, with something that happens right before one of its transactions of tenants. */
function storeWith(store: Store, { before, happens }: { before: number; happens: () => Promise<unknown> }): Store {
  let begun = 0;
  return {
    ...store,
    inTenant: async (partnerId, fn) => {
      begun += 1;
      if (begun === before) await happens();
      return store.inTenant(partnerId, fn);
    },
  };
}

/** Until somebody waits for a lock of the database; rejects after 20 s. */
async function untilOneWaits(store: Store): Promise<'waits'> {
  const endsAtMs = Date.now() + 20_000;
  for (;;) {
    const { rows } = await sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`.execute(store.kysely);
    if (rows.length > 0) return 'waits';
    if (Date.now() > endsAtMs) throw new Error('nobody waits for a lock');
  }
}

async function world(start: Start) {
  const clock = testClock();
  const relay = await start({ clock });
  const partnerId = await seedPartner(relay.store, 'Northwind IT');
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const stranger = new StaffClient(relay.url);
  return { relay, clock, partnerId, admin, stranger };
}

t.test('an invite is over exactly at its end', async (t) => {
  const row = { accepted_at_ms: null, revoked_at_ms: null, expires_at_ms: 100 };
  t.equal(inviteState(row, 99), 'open');
  t.equal(inviteState(row, 100), 'expired');
  t.equal(inviteState({ ...row, accepted_at_ms: 5 }, 200), 'accepted');
  t.equal(inviteState({ ...row, revoked_at_ms: 5 }, 50), 'revoked');
});

await onBothRelays(t, {
  'an invited person sees who invites, chooses a password, and comes back with it': async (t, start) => {
    const { relay, admin, partnerId, stranger } = await world(start);
    const made = await admin.call<{ url: string; invite: object }>('createInvite', { body: KIM });
    t.match(made.body, {
      url: new RegExp(`^${relay.publicUrl}/invite#[A-Za-z0-9_-]{43}$`),
      invite: { email: 'kim.field@partner.example', role: 'operator', state: 'open', createdBy: 'Ada Moreno' },
    });
    const token = made.body.url.split('#')[1] as string;
    t.match(await stranger.call('greetInvited', { params: { token } }), {
      status: 200,
      body: {
        partnerName: 'Northwind IT',
        invitedBy: 'Ada Moreno',
        name: 'Kim Field',
        role: 'operator',
        siteNames: [],
      },
    });
    const weak = await stranger.call('acceptInvite', { body: { token, password: 'kim field' } });
    t.match(weak, { status: 422, body: { code: 'PASSWORD_UNFIT', field: '/password' } });
    const accepted = await stranger.call('acceptInvite', { body: { token, password: PASSWORD } });
    t.match(accepted, { status: 200, body: { name: 'Kim Field', role: 'operator', partner: { id: partnerId } } });
    t.match(accepted.headers.getSetCookie().join(), /HttpOnly.*SameSite=Strict/);
    t.equal((await stranger.call('session')).status, 200);

    t.match((await signIn(relay, 'KIM.field@partner.EXAMPLE')).answer, { status: 200, body: { name: 'Kim Field' } });
    t.match((await admin.call('invites')).body, { invites: [{ state: 'accepted', acceptedAtMs: Number }] });
    t.match((await admin.call('users')).body, {
      users: [
        { name: 'Ada Moreno', email: null, hasPassword: false },
        { name: 'Kim Field', hasPassword: true },
      ],
    });
  },

  'of two who accept at once one wins, and then nobody': async (t, start) => {
    const { relay, admin, partnerId, stranger } = await world(start);
    const { token } = await invite(admin, KIM);
    const body = { token, password: PASSWORD };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => new StaffClient(relay.url).call('acceptInvite', { body })),
    );
    t.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const answer of answers.filter(({ status }) => status !== 200)) t.match(answer, INVALID);
    t.match(await stranger.call('acceptInvite', { body }), INVALID);
    const people = await relay.store.inTenant(partnerId, (trx) => trx.selectFrom('staff').selectAll().execute());
    t.equal(people.length, 2);
  },

  'unknown, used, revoked and expired invites look alike': async (t, start) => {
    const { clock, admin, stranger } = await world(start);
    const used = await invite(admin, KIM);
    const revoked = await invite(admin, { ...KIM, email: 'lee@partner.example' });
    const expired = await invite(admin, { ...KIM, email: 'sam@partner.example' });
    await stranger.call('acceptInvite', { body: { token: used.token, password: PASSWORD } });
    t.equal((await admin.call('revokeInvite', { params: { inviteId: revoked.id } })).status, 200);
    t.equal((await admin.call('revokeInvite', { params: { inviteId: revoked.id } })).status, 200, 'twice is once');
    t.match(await admin.call('revokeInvite', { params: { inviteId: used.id } }), { status: 409 });
    t.match(await admin.call('revokeInvite', { params: { inviteId: `inv_${'a'.repeat(26)}` } }), { status: 404 });
    clock.advance(INVITE_TTL_MS);
    const said = new Set<string>();
    for (const token of ['A'.repeat(43), used.token, revoked.token, expired.token]) {
      for (const answer of [
        await stranger.call('greetInvited', { params: { token } }),
        await stranger.call('acceptInvite', { body: { token, password: PASSWORD } }),
      ]) {
        t.match(answer, INVALID);
        said.add(JSON.stringify(answer.body));
      }
    }
    t.equal(said.size, 1);
  },

  'an e-mail is one person’s on the whole relay, and a new invite replaces an open one': async (t, start) => {
    const { relay, admin, stranger } = await world(start);
    const first = await invite(admin, KIM);
    const second = await invite(admin, { ...KIM, name: 'Kim' });
    t.match(await stranger.call('acceptInvite', { body: { token: first.token, password: PASSWORD } }), INVALID);
    const elsewhere = await relay.staff(await seedPartner(relay.store), 'admin');
    const third = await invite(elsewhere, KIM);
    await stranger.call('acceptInvite', { body: { token: second.token, password: PASSWORD } });
    const late = await stranger.call('acceptInvite', { body: { token: third.token, password: PASSWORD } });
    t.match(late, { status: 409, body: { code: 'EMAIL_TAKEN' } });
    t.match((await elsewhere.call('users')).body, { users: { length: 1 } }, 'nobody was made');
    t.match(await admin.call('createInvite', { body: KIM }), { status: 409, body: { code: 'EMAIL_TAKEN' } });
  },

  'accepting gives a new token and ends the session this browser had': async (t, start) => {
    const { relay, admin, partnerId } = await world(start);
    const browser = await relay.staff(partnerId, 'operator', 'Lee Woods');
    const before = new StaffClient(relay.url);
    before.cookie = browser.cookie;
    const { token } = await invite(admin, KIM);
    const answer = await browser.call('acceptInvite', { body: { token, password: PASSWORD } });
    t.match(answer, { status: 200, body: { name: 'Kim Field' } });
    t.not(browser.cookie, before.cookie);
    t.equal((await before.call('session')).status, 401);
    t.match((await browser.call('session')).body, { name: 'Kim Field' });
  },

  'what an invite asks for must fit': async (t, start) => {
    const { relay, admin, partnerId } = await world(start);
    const foreign = await seedSite(relay.store, await seedPartner(relay.store));
    const own = await seedSite(relay.store, partnerId);
    const ask = (over: object) => admin.call('createInvite', { body: { ...KIM, ...over } });
    t.match(await ask({ siteIds: [own.siteId] }), { status: 400, body: { code: 'BODY_INVALID', field: '/siteIds' } });
    t.match(await ask({ role: 'technician', siteIds: [own.siteId, foreign.siteId] }), {
      status: 404,
      body: { code: 'NOT_FOUND', field: '/siteIds/1' },
    });
    for (const email of ['kim', 'kim@host', 'a b@host.example', '@host.example', `kim@host.example\u202e`]) {
      t.match(await ask({ email }), { status: 400, body: { code: 'BODY_INVALID', field: '/email' } }, email);
    }
    t.match(await ask({ role: 'owner' }), { status: 400 });
    t.match(await ask({ role: 'technician', siteIds: [own.siteId] }), { status: 201 });
  },

  'who is no admin any more leaves no invite to come back by': async (t, start) => {
    const { relay, clock, admin, partnerId, stranger } = await world(start);
    const put = (userId: string, body: object) => admin.call('changeUser', { params: { userId }, body });
    const ways = {
      disabled: (id: string) => put(id, { disabled: true }),
      demoted: (id: string) => put(id, { role: 'operator' }),
      'disabled with a shell': (staffId: string) =>
        disablePerson(relay.store, { partnerId, staffId, actor: 'relay console', nowMs: clock.nowMs() }),
    };
    const mine = await invite(admin, { ...KIM, email: 'mine@partner.example' });
    for (const [way, end] of Object.entries(ways)) {
      const email = `lee-${way.replaceAll(' ', '-')}@partner.example`;
      const lee = await join(relay, admin, { email, name: 'Lee', role: 'admin' });
      const back = await invite(lee.client, { ...KIM, email: `back-${email}`, role: 'admin' });
      t.equal((await put(lee.id, { name: 'Lee Woods' })).status, 200);
      t.equal(
        (await stranger.call('greetInvited', { params: { token: back.token } })).status,
        200,
        'a name is no role',
      );
      await end(lee.id);
      const seen = await relay.store.inTenant(partnerId, async (trx) => ({
        invite: await trx.selectFrom('staff_invite').selectAll().where('id', '=', back.id).executeTakeFirst(),
        audit: await trx.selectFrom('audit_event').selectAll().where('ref', '=', back.id).orderBy('id').execute(),
      }));
      t.match(seen, { invite: { revoked_at_ms: Number, created_by_staff_id: lee.id } }, way);
      const actor = way === 'disabled with a shell' ? 'relay console' : 'Ada Moreno';
      t.match(seen.audit, [{ action: 'invite.created' }, { action: 'invite.revoked', actor }], way);
      await put(lee.id, { role: 'admin', disabled: false });
      const body = { token: back.token, password: PASSWORD };
      t.match(await stranger.call('acceptInvite', { body }), INVALID, `${way}, and it stays ended`);
    }
    t.match(await stranger.call('acceptInvite', { body: { token: mine.token, password: PASSWORD } }), { status: 200 });
  },

  'who is no admin any more leaves no code that puts a box in without a person': async (t, start) => {
    const { relay, clock, admin, partnerId } = await world(start);
    const { siteId } = await seedSite(relay.store, partnerId, 'Code street');
    const put = (userId: string, body: object) => admin.call('changeUser', { params: { userId }, body });
    const ways = {
      disabled: (id: string) => put(id, { disabled: true }),
      demoted: (id: string) => put(id, { role: 'operator' }),
      'disabled with a shell': (staffId: string) =>
        disablePerson(relay.store, { partnerId, staffId, actor: 'relay console', nowMs: clock.nowMs() }),
    };
    const ended: string[] = [];
    for (const [way, end] of Object.entries(ways)) {
      const email = `pat-${way.replaceAll(' ', '-')}@partner.example`;
      const pat = await join(relay, admin, { email, name: 'Pat', role: 'admin' });
      const make = async (preApproved: boolean) =>
        (await pat.client.call<{ url: string }>('createCode', { body: { siteId, preApproved } })).body;
      const [alone, watched] = [await make(true), await make(false)];
      await put(pat.id, { name: 'Somebody else' });
      await end(pat.id);
      const box = await relay.box();
      t.match(await box.presentQr(readQr(alone.url).secret), { body: { code: 'CODE_REVOKED' } }, way);
      const claim = await box.presentQr(readQr(watched.url).secret);
      t.match(claim.body, { state: 'claimed' }, `${way}: a person looks at this one`);
      const seen = await relay.store.inTenant(partnerId, (trx) =>
        trx.selectFrom('audit_event').select('actor').where('action', '=', 'code.revoked').orderBy('id').execute(),
      );
      ended.push(way === 'disabled with a shell' ? 'relay console' : 'Ada Moreno');
      t.same(
        seen.map(({ actor }) => actor),
        ended,
      );
    }
  },

  'an invite whose maker is no active admin lets nobody in, though nobody took it back': async (t, start) => {
    const { relay, admin, partnerId, stranger } = await world(start);
    const lee = await join(relay, admin, { email: 'lee@partner.example', name: 'Lee', role: 'admin' });
    const { token, id } = await invite(lee.client, { ...KIM, role: 'admin' });
    const body = { token, password: PASSWORD };
    const said = (await stranger.call('acceptInvite', { body: { ...body, token: 'A'.repeat(43) } })).body;
    const set = (change: object) =>
      relay.store.inTenant(partnerId, (trx) => trx.updateTable('staff').set(change).where('id', '=', lee.id).execute());
    for (const change of [{ role: 'operator' }, { role: 'admin', disabled_at_ms: 1 }]) {
      await set(change);
      const answer = await stranger.call('acceptInvite', { body });
      t.match(answer, INVALID);
      t.strictSame(answer.body, said, 'it looks like any other');
      t.match(await stranger.call('greetInvited', { params: { token } }), INVALID);
    }
    const maker = (value: string | null) =>
      relay.store.inTenant(partnerId, (trx) =>
        trx.updateTable('staff_invite').set({ created_by_staff_id: value }).where('id', '=', id).execute(),
      );
    await set({ disabled_at_ms: null });
    await maker(null);
    t.match(await stranger.call('acceptInvite', { body }), INVALID, 'nor one of which nobody knows the maker');
    await maker(lee.id);
    t.match(await stranger.call('acceptInvite', { body }), { status: 200 }, 'no refusal used it up');
  },

  'who is disabled while an invite of theirs is made or accepted gets nobody in': async (t, start) => {
    const { relay, clock, admin, partnerId } = await world(start);
    const lee = await join(relay, admin, { email: 'lee@partner.example', name: 'Lee', role: 'admin' });
    const { token } = await invite(lee.client, { ...KIM, role: 'admin' });
    const nowMs = clock.nowMs();
    const set = (disabled_at_ms: number | null) =>
      relay.store.inTenant(partnerId, (trx) =>
        trx.updateTable('staff').set({ disabled_at_ms }).where('id', '=', lee.id).execute(),
      );
    const invitesOn = (before: number) =>
      createInvites({
        store: storeWith(relay.store, { before, happens: () => set(nowMs) }),
        deliver: async ({ url }) => ({ url }),
        publicUrl: () => relay.publicUrl,
      });
    const accepted = invitesOn(2).accept({ token, password: PASSWORD, nowMs });
    await t.rejects(accepted, { code: 'INVITE_INVALID' });
    await set(null);
    const session = { sessionHash: 'x', expiresAtMs: nowMs + 1 };
    const tenant = { partnerId, staffId: lee.id, role: 'admin', actor: 'Lee', ...session } as const;
    const made = invitesOn(1).create(tenant, { ...KIM, email: 'sam@partner.example' }, nowMs);
    await t.rejects(made, { code: 'UNAUTHENTICATED' });
    t.match((await admin.call('invites')).body, { invites: { length: 2 } });
    t.match((await admin.call('users')).body, { users: { length: 2 } }, 'nobody came in');
  },

  'disabling with a shell waits for who changes people at that moment': async (t, start) => {
    const { relay, clock, admin, partnerId } = await world(start);
    const { store } = relay;
    if (store.kind === 'sqlite') {
      t.pass('there is one writer');
      return;
    }
    const lee = await join(relay, admin, { email: 'lee@partner.example', name: 'Lee', role: 'admin' });
    const input = { partnerId, staffId: lee.id, actor: 'relay console', nowMs: clock.nowMs() };
    const outside = AsyncLocalStorage.snapshot();
    let disabled: Promise<void> | undefined;
    const first = await store.inTenant(partnerId, async (trx) => {
      await lockPeople(trx, partnerId);
      disabled = outside(() => disablePerson(store, input));
      return Promise.race([disabled.then(() => 'did not wait'), untilOneWaits(store)]);
    });
    t.equal(first, 'waits');
    await disabled;
    t.equal((await lee.client.call('session')).status, 401);
  },

  'every change is in the audit chain with who did it, and no token is stored': async (t, start) => {
    const { relay, admin, partnerId, stranger } = await world(start);
    const { token } = await invite(admin, KIM);
    const gone = await invite(admin, { ...KIM, email: 'lee@partner.example' });
    await admin.call('revokeInvite', { params: { inviteId: gone.id } });
    await stranger.call('acceptInvite', { body: { token, password: PASSWORD } });
    const { events, stored } = await relay.store.inTenant(partnerId, async (trx) => ({
      events: await trx.selectFrom('audit_event').select(['action', 'actor']).orderBy('id').execute(),
      stored: JSON.stringify([
        await trx.selectFrom('staff_invite').selectAll().execute(),
        await trx.selectFrom('audit_event').selectAll().execute(),
        await trx.selectFrom('staff').selectAll().execute(),
      ]),
    }));
    t.strictSame(
      events.slice(-6).map(({ action, actor }) => `${action} ${actor}`),
      [
        'invite.created Ada Moreno',
        'invite.created Ada Moreno',
        'invite.revoked Ada Moreno',
        'invite.accepted Kim Field',
        'staff.created Kim Field',
        'session.started Kim Field',
      ],
    );
    for (const secret of [token, gone.token, PASSWORD]) t.notOk(stored.includes(secret));
  },
});
