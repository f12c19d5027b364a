import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createLogger } from '@sitewarden/kit/log';
import t, { type Test } from 'tap';
import { createLabels } from '../../../relay/claim/labels.ts';
import { readQr } from '../../helpers/box.ts';
import { LABEL_NEEDS, pagesOf, textOf, urlsOn } from '../../helpers/label-sheet.ts';
import { skipWithout } from '../../helpers/needs.ts';
import { seedPartner, seedSite, startTestRelay, testClock } from '../../helpers/relay.ts';
import type { StaffClient } from '../../helpers/staff-client.ts';

interface CodeRow {
  id: string;
  siteId: string;
  state: string;
  createdBy: string;
  scannedAtMs: number | null;
  serial: string | null;
  claimedAtMs: number | null;
  approvedBy: string | null;
  approvedAtMs: number | null;
  usedAtMs: number | null;
  disputed: boolean;
}

async function world(t: Test, limits: Record<string, number> = {}) {
  const logged: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk));
      done();
    },
  });
  const clock = testClock();
  const log = createLogger({ name: 'relay', level: 'debug', destination: stream });
  const relay = await startTestRelay((fn) => t.teardown(fn), { clock, limits, log });
  const partnerId = await seedPartner(relay.store, 'Bluewater IT');
  const one = await seedSite(relay.store, partnerId, 'Zahnarzt Müller');
  const two = await seedSite(relay.store, partnerId, 'Łódź');
  const [admin, operator] = await Promise.all([relay.staff(partnerId, 'admin'), relay.staff(partnerId, 'operator')]);
  const codes = async () => (await admin.call<{ codes: CodeRow[] }>('codes')).body.codes;
  const audit = (action: string) =>
    relay.store.inTenant(partnerId, (trx) =>
      trx.selectFrom('audit_event').selectAll().where('action', '=', action).execute(),
    );
  /** As the page's browser sends it; the answer is bytes. */
  const print = async (who: StaffClient, body: object) =>
    fetch(`${relay.url}/api/provision/labels`, {
      method: 'POST',
      headers: {
        cookie: who.cookie ?? '',
        'x-sitewarden': '1',
        origin: relay.url,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ ttlMinutes: 1440, paper: 'a4', ...body }),
    });
  const open = (secret: string) =>
    fetch(`${relay.url}/api/provision/code-opened`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secret }),
    });
  return { relay, clock, partnerId, one, two, admin, operator, codes, audit, print, open, logged };
}

t.test('labels for two sites are printed, and a box is claimed with what a camera reads from one', async (t) => {
  if (skipWithout(t, LABEL_NEEDS)) return;
  const { relay, partnerId, one, two, admin, operator, codes, audit, print, logged } = await world(t);
  const answer = await print(operator, {
    labels: [
      { siteId: one.siteId, count: 2 },
      { siteId: two.siteId, count: 1 },
    ],
  });
  t.equal(answer.status, 201);
  t.equal(answer.headers.get('content-type'), 'application/pdf');
  t.equal(answer.headers.get('cache-control'), 'no-store');
  t.match(answer.headers.get('content-disposition'), /^attachment; filename="sitewarden-labels-\d{8}T\d{4}Z\.pdf"$/);
  const file = join(t.testdir(), 'labels.pdf');
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));

  const urls = urlsOn(await pagesOf(file), 3, 'a4');
  t.equal(new Set(urls).size, 3);
  for (const url of urls) t.match(url, new RegExp(`^${relay.publicUrl}/code#v1\\.[A-Za-z0-9_-]{22}$`));
  const text = await textOf(file);
  const typed = [...text.matchAll(/[B-Z]{4}-[B-Z]{5}-[B-Z]{5}/g)].map(([code]) => code);
  t.equal(typed.length, 3);
  t.match(text, 'Bluewater IT');
  t.match(text.normalize('NFC'), 'Łódź');

  const listed = await codes();
  t.strictSame(
    listed.map(({ siteId, state, createdBy }) => [siteId, state, createdBy]).sort(),
    [
      [one.siteId, 'created', 'operator person'],
      [one.siteId, 'created', 'operator person'],
      [two.siteId, 'created', 'operator person'],
    ].sort(),
  );
  t.equal((await audit('code.created')).length, 3);
  const [printed, ...more] = await audit('labels.printed');
  t.equal(more.length, 0);
  t.match(JSON.parse(printed?.detail ?? '{}'), { count: 3, sites: 2, paper: 'a4', ttlMinutes: 1440 });

  const secrets = [
    ...urls.map((url) => readQr(url ?? '').secret),
    ...typed.map((code) => code.slice(5).replace('-', '')),
  ];
  const stored = JSON.stringify([
    await relay.store.inTenant(partnerId, (trx) => trx.selectFrom('provision_code').selectAll().execute()),
    await relay.store.inTenant(partnerId, (trx) => trx.selectFrom('audit_event').selectAll().execute()),
    await relay.store.system((trx) => trx.selectFrom('secret_directory').selectAll().execute()),
    listed,
  ]);
  t.ok(logged.length > 0, 'the log is looked at');
  for (const secret of secrets) t.notOk(stored.includes(secret) || logged.join('').includes(secret));

  const [box, second] = await Promise.all([relay.box('SW-0001'), relay.box('SW-0002')]);
  const presented = await box.presentQr(readQr(urls[2] ?? '').secret);
  t.match(presented, { status: 200, body: { state: 'claimed' } });
  t.match(await second.presentTyped(typed[0] ?? ''), { status: 200, body: { state: 'claimed' } });
  const { session, number } = presented.body;
  t.equal((await admin.call('approveClaim', { params: { session }, body: { number } })).status, 200);
  t.match((await box.status(session)).body, { state: 'approved', grant: { siteId: two.siteId } });
});

t.test('a sheet is made whole or not at all, and a refusal names the field', async (t) => {
  const { relay, one, two, admin, operator, codes, audit, print } = await world(t);
  const stranger = await seedSite(relay.store, await seedPartner(relay.store));
  await relay.claim(admin, two.siteId);
  const label = (siteId: string, count = 1) => ({ siteId, count });
  const cases: [string, StaffClient, object, number, object][] = [
    [
      'a site of another company',
      admin,
      { labels: [label(one.siteId), label(stranger.siteId)] },
      404,
      { code: 'NOT_FOUND', field: '/labels/1/siteId' },
    ],
    [
      'more than a hundred',
      admin,
      { labels: [label(one.siteId, 60), label(two.siteId, 41)] },
      422,
      { code: 'LABELS_TOO_MANY', field: '/labels' },
    ],
    [
      'pre-approved by an operator',
      operator,
      { labels: [label(one.siteId)], ttlMinutes: 10, preApproved: true },
      403,
      { code: 'CODE_NEEDS_ADMIN', field: '/preApproved' },
    ],
    [
      'pre-approved for an hour',
      admin,
      { labels: [label(one.siteId)], ttlMinutes: 60, preApproved: true },
      422,
      { code: 'CODE_TTL_TOO_LONG', field: '/ttlMinutes' },
    ],
    [
      'pre-approved where a box is',
      admin,
      { labels: [label(one.siteId), label(two.siteId)], ttlMinutes: 10, preApproved: true },
      409,
      { code: 'LABELS_SITE_HAS_BOX', field: '/labels/1/siteId' },
    ],
    [
      'longer than 30 days',
      admin,
      { labels: [label(one.siteId)], ttlMinutes: 43_201 },
      400,
      { code: 'BODY_INVALID', field: '/ttlMinutes' },
    ],
    ['no labels', admin, { labels: [] }, 400, { code: 'BODY_INVALID', field: '/labels' }],
    [
      'an unknown paper',
      admin,
      { labels: [label(one.siteId)], paper: 'a5' },
      400,
      { code: 'BODY_INVALID', field: '/paper' },
    ],
  ];
  for (const [name, who, body, status, error] of cases) {
    const answer = await print(who, body);
    t.match({ status: answer.status, body: await answer.json() }, { status, body: { ...error, message: /\. / } }, name);
  }
  t.strictSame(await codes(), [], 'no code was left behind');
  t.equal((await audit('labels.printed')).length, 0);
  const fine = await print(admin, { labels: [label(one.siteId)], ttlMinutes: 10, preApproved: true, paper: 'letter' });
  t.equal(fine.status, 201);
  const technician = await relay.staff(one.partnerId, 'technician');
  t.equal((await print(technician, { labels: [label(one.siteId)] })).status, 403);
});

t.test('a sheet that cannot be drawn leaves no code that works', async (t) => {
  const { relay, partnerId, one, codes, audit } = await world(t);
  // No QR code holds an address of this length.
  const publicUrl = () => `https://${'a'.repeat(3000)}.example.com`;
  const tenant = {
    partnerId,
    staffId: 'stf_1',
    actor: 'Kim',
    role: 'operator',
    sessionHash: '',
    expiresAtMs: 1e15,
  } as const;
  const labels = createLabels({ ...relay.services, publicUrl });
  const wanted = { labels: [{ siteId: one.siteId, count: 3 }], ttlMinutes: 60, paper: 'a4' } as const;
  await t.rejects(labels.print(tenant, wanted, relay.services.clock.nowMs()));
  t.strictSame(
    (await codes()).map(({ state }) => state),
    ['revoked', 'revoked', 'revoked'],
  );
  t.equal((await audit('code.revoked')).length, 3);
});

t.test('the list tells the life of a code, each step with its time and who it was', async (t) => {
  const { relay, clock, one, admin, codes, open } = await world(t);
  const made = await admin.call<{ url: string }>('createCode', { body: { siteId: one.siteId, ttlMinutes: 60 } });
  const { secret } = readQr(made.body.url);
  const only = async () => (await codes())[0] as CodeRow;
  t.match(await only(), { state: 'created', scannedAtMs: null, serial: null, createdBy: 'admin person' });

  clock.advance(1000);
  const scannedAtMs = clock.nowMs();
  t.equal((await open(secret)).status, 200);
  clock.advance(1000);
  await open(secret);
  const scanned = await only();
  t.equal(scanned.state, 'scanned');
  t.ok(Math.abs((scanned.scannedAtMs ?? 0) - scannedAtMs) < 500, 'the first time counts');

  const box = await relay.box('SW-0042');
  const { session, number } = (await box.presentQr(secret)).body;
  t.match(await only(), { state: 'claimed', serial: 'SW-0042', claimedAtMs: Number, approvedBy: null, usedAtMs: null });
  await admin.call('approveClaim', { params: { session }, body: { number } });
  t.match(await only(), { state: 'approved', approvedBy: 'admin person', approvedAtMs: Number, usedAtMs: null });
  const applianceId = (await box.status(session)).body.grant?.applianceId ?? '';
  await box.ack(session, applianceId);
  t.match(await only(), { state: 'used', usedAtMs: Number, disputed: false });
  await (await relay.box()).presentQr(secret);
  t.match(await only(), { state: 'used', disputed: true }, 'a second key is an alarm, not another state');
});

t.test('whoever opens the page of a code learns nothing about it', async (t) => {
  const { relay, clock, one, admin, codes, open } = await world(t);
  const make = async () =>
    (await admin.call<{ url: string; code: { id: string } }>('createCode', { body: { siteId: one.siteId } })).body;
  const [good, revoked, used, expired] = [await make(), await make(), await make(), await make()];
  await admin.call('revokeCode', { params: { codeId: revoked.code.id } });
  await (await relay.box()).presentQr(readQr(used.url).secret);
  const told = async (secret: string) => {
    const answer = await open(secret);
    const headers = [...answer.headers].filter(([name]) => name !== 'date' && !name.startsWith('x-request'));
    return JSON.stringify([answer.status, headers, await answer.text()]);
  };
  const unknown = await told('A'.repeat(22));
  for (const { url } of [good, revoked, used]) t.equal(await told(readQr(url).secret), unknown);
  clock.advance(600_000);
  t.equal(await told(readQr(expired.url).secret), unknown);
  t.equal(await told(readQr(good.url).secret), unknown);
  const states = new Map((await codes()).map(({ id, state, scannedAtMs }) => [id, [state, scannedAtMs !== null]]));
  t.strictSame(states.get(good.code.id), ['expired', true]);
  t.strictSame(states.get(revoked.code.id), ['revoked', false]);
  t.strictSame(states.get(used.code.id), ['claimed', false]);
  t.strictSame(states.get(expired.code.id), ['expired', false]);
});

t.test('opening pages is limited like signing in, and takes no sign-ins away', async (t) => {
  const { relay, partnerId, open } = await world(t, { signInsPerMinute: 5 });
  const answers = await Promise.all(Array.from({ length: 8 }, () => open('A'.repeat(22))));
  t.strictSame(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 429, 429, 429]);
  t.match(answers.find(({ status }) => status === 429)?.headers.get('retry-after'), /^\d+$/);
  t.ok(await relay.staff(partnerId, 'admin'), 'two of five sign-ins were used before, this is the third');
});
