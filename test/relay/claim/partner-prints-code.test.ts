import t, { type Test } from 'tap';
import { readQr } from '../../helpers/box.ts';
import { seedPartner, seedSite, startTestRelay, testClock } from '../../helpers/relay.ts';

interface Created {
  code: { id: string; state: string; preApproved: boolean; expiresAtMs: number };
  url: string;
  typed: string;
  qrSvg: string;
}
interface View {
  state: string;
  disputed: boolean;
  number: string;
}

async function world(t: Test) {
  const clock = testClock();
  const relay = await startTestRelay((fn) => t.teardown(fn), { clock });
  const partnerId = await seedPartner(relay.store);
  const site = await seedSite(relay.store, partnerId);
  const [admin, operator] = await Promise.all([relay.staff(partnerId, 'admin'), relay.staff(partnerId, 'operator')]);
  const make = (body: object = {}, who = admin) =>
    who.call<Created>('createCode', { body: { siteId: site.siteId, ...body } });
  return { relay, clock, ...site, admin, operator, make };
}

t.test('a code is shown once, in three forms, and stored hashed', async (t) => {
  const { relay, partnerId, make, admin } = await world(t);
  const created = await make();
  t.equal(created.status, 201);
  t.match(created.body.url, `${relay.publicUrl}/code#v1.`);
  t.match(created.body.typed, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{5}-[BCDFGHJKLMNPQRSTVWXZ]{5}$/);
  t.match(created.body.qrSvg, /^<svg/);
  const rows = await relay.store.inTenant(partnerId, (trx) => trx.selectFrom('provision_code').selectAll().execute());
  const directory = await relay.store.system((trx) => trx.selectFrom('secret_directory').selectAll().execute());
  const stored = JSON.stringify([rows, directory]);
  const { secret } = readQr(created.body.url);
  const typedSecret = created.body.typed.replaceAll('-', '').slice(4);
  for (const text of [secret, Buffer.from(secret).toString('base64'), typedSecret]) t.notOk(stored.includes(text));
  const listed = await admin.call<{ codes: object[] }>('codes');
  t.notOk(JSON.stringify(listed.body).includes(secret));
});

t.test('a box that brings a code waits for the approval of its number', async (t) => {
  const { relay, make, admin, operator } = await world(t);
  const { secret } = readQr((await make({}, operator)).body.url);
  const box = await relay.box();
  const presented = await box.presentQr(secret);
  t.match(presented, { status: 200, body: { state: 'claimed', number: /^[0-9]{8}$/ } });
  t.equal(presented.body.grant, undefined);
  const { session, number } = presented.body;
  t.equal((await operator.call('approveClaim', { params: { session }, body: { number } })).status, 403);
  const approved = await admin.call('approveClaim', { params: { session }, body: { number } });
  t.equal(approved.status, 200);
  const granted = await box.status(session);
  t.match(granted.body, { state: 'approved', grant: { claimedBy: 'operator person', codeId: /^pc_/ } });
  t.strictSame((await box.presentQr(secret)).body, granted.body, 'the code asked again gives the same');
});

t.test('a typed code works like the scanned one', async (t) => {
  const { relay, make } = await world(t);
  const { typed, url } = (await make()).body;
  const box = await relay.box();
  t.equal((await box.presentTyped(typed)).status, 200);
  t.equal((await box.presentQr(readQr(url).secret)).status, 200, 'both forms are one code');
});

t.test(
  'a code made to need no approval gives the grant at once, and only an admin makes one, for ten minutes',
  async (t) => {
    const { relay, make, operator } = await world(t);
    const made = (await make({ preApproved: true })).body;
    const box = await relay.box();
    t.match((await box.presentQr(readQr(made.url).secret)).body, {
      state: 'approved',
      grant: { applianceId: /^app_/ },
    });
    t.match(await make({ preApproved: true }, operator), { status: 403, body: { code: 'CODE_NEEDS_ADMIN' } });
    t.match(await make({ preApproved: true, ttlMinutes: 11 }), { status: 422, body: { code: 'CODE_TTL_TOO_LONG' } });
    t.equal((await make({ ttlMinutes: 43_200 }, operator)).status, 201, 'a printed work order lives 30 days');
  },
);

t.test('a second box with the same code is refused, seen, and blocks the approval', async (t) => {
  const { relay, make, admin, partnerId } = await world(t);
  const { secret } = readQr((await make()).body.url);
  const [box, thief] = await Promise.all([relay.box(), relay.box()]);
  const { session, number } = (await box.presentQr(secret)).body;
  t.match(await thief.presentQr(secret), { status: 409, body: { code: 'CODE_USED' } });
  t.match((await admin.call<View>('claimSession', { params: { session } })).body, { disputed: true });
  t.match(await admin.call('approveClaim', { params: { session }, body: { number } }), {
    status: 409,
    body: { code: 'CLAIM_DISPUTED' },
  });
  const codes = await admin.call<{ codes: { disputed: boolean }[] }>('codes');
  t.equal(codes.body.codes[0]?.disputed, true);
  await thief.presentQr(secret);
  const alarms = await relay.store.inTenant(partnerId, (trx) =>
    trx.selectFrom('audit_event').select('detail').where('action', '=', 'claim.disputed').execute(),
  );
  t.equal(alarms.length, 1, 'one alarm, however often it comes');
  t.match(alarms[0]?.detail, thief.fingerprint);
  t.match(await admin.call('rejectClaim', { params: { session } }), { status: 200, body: { state: 'rejected' } });
  t.match((await box.status(session)).body, { state: 'rejected' });
});

t.test('unknown and expired codes look alike to a box; a revoked one says so', async (t) => {
  const { relay, clock, make, admin } = await world(t);
  const old = (await make()).body;
  const revoked = (await make({ ttlMinutes: 60 })).body;
  t.equal((await admin.call('revokeCode', { params: { codeId: revoked.code.id } })).status, 200);
  t.equal((await admin.call('revokeCode', { params: { codeId: revoked.code.id } })).status, 200);
  const box = await relay.box();
  t.match(await box.presentQr(readQr(revoked.url).secret), { status: 410, body: { code: 'CODE_REVOKED' } });
  const unknown = await box.presentQr('AAAAAAAAAAAAAAAAAAAAAA');
  clock.advance(600_000);
  const createdS = Math.floor(clock.nowMs() / 1000);
  const expired = await box.send('/api/provision/claim', {
    body: { ...box.facts(), boxNonce: box.boxNonce, code: { form: 'qr', secret: readQr(old.url).secret } },
    createdS,
  });
  t.match(expired, { status: 404, body: { code: 'CODE_INVALID' } });
  t.strictSame(unknown.body, expired.body);
});

t.test('five wrong guesses close the typed form for everyone and leave the scanned one open', async (t) => {
  const { relay, make, admin } = await world(t);
  const { typed, url } = (await make()).body;
  const box = await relay.box();
  const isLockedFor = async () =>
    (await admin.call<{ codes: { typedLocked: boolean }[] }>('codes')).body.codes.map(({ typedLocked }) => typedLocked);
  t.strictSame(await isLockedFor(), [false]);
  const wrong = `${typed.slice(0, 5)}${typed.slice(5).replaceAll(/[A-Z]/g, (c) => (c === 'B' ? 'C' : 'B'))}`;
  const guesses = await Promise.all(Array.from({ length: 12 }, () => box.presentTyped(wrong)));
  const evaluated = guesses.filter(({ status }) => status === 404).length;
  t.equal(evaluated, 5, 'no more guesses are looked at than there are tries');
  t.equal(guesses.filter(({ status }) => status === 429).length, 7);
  const locked = await box.presentTyped(typed);
  t.match(locked, { status: 429, body: { code: 'CODE_LOCKED' } });
  t.equal(locked.headers.get('retry-after'), null, 'waiting does not help');
  t.strictSame(await isLockedFor(), [true], 'and staff can see it');
  t.equal((await box.presentQr(readQr(url).secret)).status, 200);
});

t.test('right guesses cost no tries', async (t) => {
  const { relay, make } = await world(t);
  const { typed } = (await make()).body;
  const box = await relay.box();
  for (let turn = 0; turn < 7; turn += 1) t.equal((await box.presentTyped(typed)).status, 200);
});

t.test('a used code cannot be revoked any more', async (t) => {
  const { relay, make, admin } = await world(t);
  const made = (await make()).body;
  await (await relay.box()).presentQr(readQr(made.url).secret);
  t.match(await admin.call('revokeCode', { params: { codeId: made.code.id } }), { status: 409 });
});
