import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import t from 'tap';
import { createPartner, createSignInLink } from '../../../relay/accounts/index.ts';
import { sendRaw } from '../../helpers/raw-http.ts';
import { seedPartner, startTestRelay } from '../../helpers/relay.ts';

t.test('what is no HTTP is answered with a code, the headers of every answer, and a request id', async (t) => {
  const { url } = await startTestRelay((fn) => t.teardown(fn));
  const cases = {
    REQUEST_MALFORMED: [
      'GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
    ],
    HEADERS_TOO_LARGE: [`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(40_000)}\r\n\r\n`],
  };
  for (const [code, requests] of Object.entries(cases)) {
    for (const request of requests) {
      const answer = await sendRaw(url, request);
      t.match(answer, /^HTTP\/1\.1 4\d\d /);
      t.match(answer, /\r\nx-request-id: req_/);
      t.match(answer, /\r\nx-content-type-options: nosniff/);
      t.match(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''), { code });
    }
  }
  const hostless = await sendRaw(url, 'GET /health HTTP/1.1\r\nconnection: close\r\n\r\n');
  t.match(hostless, /^HTTP\/1\.1 400 /);
  t.match(hostless, /\r\nx-request-id: req_/i);
  t.match(hostless, /"code":"REQUEST_MALFORMED","message":"The header host is missing\..*"field":"host"/);
  const undecodable = await sendRaw(url, 'GET /%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  t.match(undecodable, /^HTTP\/1\.1 404 /);
  t.match(undecodable, /\r\nx-request-id: req_/i);
  t.match(undecodable, /\r\ncontent-security-policy: /i);
  t.match(undecodable, '"code":"NOT_FOUND"');
  const long = await sendRaw(
    url,
    `GET /api/sites/${'a'.repeat(4000)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
  );
  t.match(long, /^HTTP\/1\.1 4\d\d /);
  t.match(long, /\r\nx-request-id: req_/i);
  t.match(long, /\r\ncontent-security-policy: /i);
  t.match(JSON.parse(long.split('\r\n\r\n')[1] ?? ''), { code: String, message: String });
  t.notMatch(long, /aaaa/, 'the address is not said back');
});

/** Never the regular expression. */
const WORDS = /^must (be text without blanks at its ends and without control or invisible|NOT have fewer than 1) char/;

t.test('a name is something a person can read', async (t) => {
  const { store, staff } = await startTestRelay((fn) => t.teardown(fn));
  const admin = await staff(await seedPartner(store), 'admin');
  const make = (name: string) => admin.call<{ id: string }>('createClient', { body: { name } });
  for (const name of ['   ', ' Clinic', 'Clinic ', '\u202Etxt', 'bell\u0007', 'line\nline', 'zero\u200Bwidth', ''])
    t.match(
      await make(name),
      { status: 400, body: { code: 'BODY_INVALID', field: '/name', message: WORDS } },
      JSON.stringify(name),
    );
  const invited = await admin.call('createInvite', {
    body: { email: 'ada@partner.example', name: ' Ada', role: 'operator' },
  });
  t.match(invited, { status: 400, body: { field: '/name', message: WORDS } });
  const good = await make('Zahnärzte Müller & Söhne, 東京 ①');
  t.equal(good.status, 201);
  const clientId = good.body.id;
  t.match(await admin.call('createSite', { body: { clientId, name: '\u202Ea' } }), {
    status: 400,
    body: { field: '/name' },
  });
  t.match(await admin.call('createSite', { body: { clientId, name: 'A', requiredServices: ['a b'] } }), {
    status: 400,
    body: { field: '/requiredServices/0', message: /^must be 1 to 64 of / },
  });
  t.equal((await admin.call('createSite', { body: { clientId, name: 'A' } })).status, 201);
});

t.test('what a box says of its model is checked alike', async (t) => {
  const { box } = await startTestRelay((fn) => t.teardown(fn));
  const made = await box();
  const start = (model: string) =>
    made.send(BOX_PATHS.provisionStart, { body: { ...made.facts(), model, commitment: 'A'.repeat(43) } });
  for (const model of ['', ' ', 'a\u202Eb'])
    t.match(await start(model), { status: 400, body: { code: 'BODY_INVALID', field: '/model' } });
  t.equal((await start('NUC 13')).status, 201);
});

t.test('a person of the staff has a name that can be read', async (t) => {
  const { store, publicUrl } = await startTestRelay((fn) => t.teardown(fn));
  const partnerId = await seedPartner(store);
  const link = (name: string) =>
    createSignInLink(store, { publicUrl, role: 'admin', name, partnerId, nowMs: Date.now() });
  await t.rejects(link('  '), { code: 'CONFIG_INVALID', field: 'name' });
  await t.rejects(link('Ada\u202E'), { code: 'CONFIG_INVALID', field: 'name' });
  await t.rejects(createPartner(store, { name: '\u0007', nowMs: 1 }), { code: 'CONFIG_INVALID' });
  t.match(await link('Ada'), { partnerId });
});
