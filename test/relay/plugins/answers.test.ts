import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { BOX_ERRORS, type BoxErrorCode } from '@sitewarden/agent-proto/http';
import t, { type Test } from 'tap';
import { relayErrors } from '../../../relay/errors.ts';
import { codedErrorOf } from '../../../relay/plugins/error-answers.ts';
import { seedPartner, seedSite, startTestRelay } from '../../helpers/relay.ts';

const start = (t: Test, options: Parameters<typeof startTestRelay>[1] = {}) =>
  startTestRelay((fn) => t.teardown(fn), options);

t.test('an address nobody knows answers with a code and names its request', async (t) => {
  const { url } = await start(t);
  const answer = await fetch(`${url}/api/nothing`);
  t.equal(answer.status, 404);
  t.match(answer.headers.get('x-request-id'), /^req_/);
  t.match(await answer.json(), { code: 'NOT_FOUND', message: /\.$/ });
});

t.test('a method an address does not take is told which it takes; monitors may ask HEAD', async (t) => {
  const { url } = await start(t);
  const answer = await fetch(`${url}/api/sites`, { method: 'DELETE' });
  t.equal(answer.status, 405);
  t.equal(answer.headers.get('allow'), 'GET, POST');
  t.match(await answer.json(), { code: 'METHOD_NOT_ALLOWED', field: 'method', message: /takes GET and POST/ });
  t.equal((await fetch(`${url}/api/sites/x/agents`, { method: 'PUT' })).headers.get('allow'), 'GET');
  t.equal((await fetch(`${url}/health`, { method: 'HEAD' })).status, 200);
  t.equal((await fetch(`${url}/api/nothing`, { method: 'DELETE' })).status, 404);
});

t.test('pages get strict headers and no script from elsewhere', async (t) => {
  const { url } = await start(t);
  const { headers } = await fetch(`${url}/health`);
  const policy = headers.get('content-security-policy') ?? '';
  t.match(policy, "default-src 'none'");
  t.match(policy, "script-src 'self'");
  t.notMatch(policy, /script-src[^;]*unsafe/);
  t.match(policy, "frame-ancestors 'none'");
  t.equal(headers.get('x-content-type-options'), 'nosniff');
  t.equal(headers.get('referrer-policy'), 'no-referrer');
  t.equal(headers.get('strict-transport-security'), null, 'nobody is locked out of plain HTTP');
});

t.test('a body that is too large, of another type, or no JSON has its own code', async (t) => {
  const { url, store, staff } = await start(t);
  const admin = await staff(await seedPartner(store), 'admin');
  const post = async (body: string, type = 'application/json') => {
    const response = await fetch(`${url}/api/clients`, {
      method: 'POST',
      headers: { cookie: admin.cookie ?? '', origin: url, 'x-sitewarden': '1', 'content-type': type },
      body,
    });
    return { status: response.status, body: await response.json() };
  };
  t.match(await post(JSON.stringify({ name: 'x'.repeat(70_000) })), {
    status: 413,
    body: { code: 'REQUEST_TOO_LARGE' },
  });
  t.match(await post('name=x', 'application/x-www-form-urlencoded'), {
    status: 415,
    body: { code: 'MEDIA_TYPE_UNSUPPORTED', field: 'content-type', message: /takes application\/json/ },
  });
  t.match(await post('{"name":"x"}', 'text/plain'), { status: 415, body: { code: 'MEDIA_TYPE_UNSUPPORTED' } });
  t.match(await post('{'), { status: 400, body: { code: 'BODY_INVALID' } });
  t.match(await post('{"name":"x","rolle":1}'), { status: 400, body: { code: 'BODY_INVALID', field: '/rolle' } });
  t.match(await post('{"name":"a\\u0000b"}'), { status: 400, body: { code: 'BODY_INVALID' } });
  t.match(await post('{"name":"Clinic"}'), { status: 201, body: { name: 'Clinic' } });
  t.match(await post('{"name":"Clinic"}'), { status: 409, body: { code: 'NAME_TAKEN', field: '/name' } });
});

t.test('a parameter that does not fit is named', async (t) => {
  const { store, staff } = await start(t);
  const admin = await staff(await seedPartner(store), 'admin');
  t.match(await admin.request('GET', '/api/sites?limit=many'), {
    status: 400,
    body: { code: 'QUERY_INVALID', field: '/limit' },
  });
  t.match(await admin.request('GET', '/api/sites?limt=1'), {
    status: 400,
    body: { code: 'QUERY_INVALID', field: '/limt' },
  });
  t.match(await admin.request('GET', '/api/sites/not-an-id'), { status: 404, body: { code: 'NOT_FOUND' } });
});

t.test('too many requests are answered with how long to wait', async (t) => {
  const { url } = await start(t, { limits: { signInsPerMinute: 3, requestsPerMinute: 1000 } });
  const tryLink = () =>
    fetch(`${url}/api/session`, {
      method: 'POST',
      headers: { origin: url, 'x-sitewarden': '1', 'content-type': 'application/json' },
      body: JSON.stringify({ token: 'A'.repeat(43) }),
    });
  for (let turn = 0; turn < 3; turn += 1) t.equal((await tryLink()).status, 401);
  const answer = await tryLink();
  t.equal(answer.status, 429);
  const waitS = Number(answer.headers.get('retry-after'));
  t.ok(waitS >= 1 && waitS <= 60);
  t.match(await answer.json(), { code: 'RATE_LIMITED', data: { retryAfterS: waitS } });
  t.equal((await fetch(`${url}/health`)).status, 200, 'other routes have limits of their own');
});

function getWithHeaders(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${url}/metrics`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

t.test('metrics are for this host, and for whoever has the token', async (t) => {
  const { url } = await start(t);
  await fetch(`${url}/health`);
  // A request is counted once its answer is gone.
  const deadlineMs = Date.now() + 5000;
  let text = '';
  while (!text.includes('route="health"') && Date.now() < deadlineMs)
    text = await (await fetch(`${url}/metrics`)).text();
  t.match(text, /relay_request_seconds_bucket\{[^}]*route="health"/);
  t.equal(
    await getWithHeaders(url, { 'x-forwarded-for': '203.0.113.9' }),
    403,
    'a proxy on this host is somebody else',
  );
  t.equal(await getWithHeaders(url, { forwarded: 'for=203.0.113.9', authorization: 'Bearer x' }), 403);
});

t.test('faults of the framework and of the engines become codes of the table', async (t) => {
  const coded = (fields: object) => codedErrorOf(Object.assign(new Error('x'), fields)).code;
  t.equal(coded({ code: 'FST_ERR_CTP_BODY_TOO_LARGE' }), 'BODY_TOO_LARGE');
  t.equal(coded({ code: '23505' }), 'CONFLICT');
  t.equal(coded({ code: 'ECONNREFUSED' }), 'OVERLOADED');
  t.equal(coded({ code: 'toString' }), 'INTERNAL');
  t.equal(codedErrorOf(undefined).code, 'INTERNAL');
  t.equal(codedErrorOf(relayErrors.make('NAME_TAKEN')).code, 'NAME_TAKEN');
});

t.test(
  'the table holds the codes of the contract as they are, and every code for people says the next step',
  async (t) => {
    for (const [code, { message, status }] of Object.entries(relayErrors.table)) {
      if (Object.hasOwn(BOX_ERRORS, code)) {
        t.strictSame({ status, message }, BOX_ERRORS[code as BoxErrorCode]);
        continue;
      }
      t.ok(message.split(/[.;!?] /).length >= 2 || /; |, /.test(message), `${code}: ${message}`);
    }
  },
);

t.test('the token of a file opens metrics to a collector elsewhere', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'token');
  await writeFile(file, 'correct-horse\n');
  const { url } = await start(t, { metricsTokenFile: file });
  const elsewhere = { 'x-forwarded-for': '203.0.113.9' };
  t.equal(await getWithHeaders(url, { ...elsewhere, authorization: 'Bearer correct-horse' }), 200);
  t.equal(await getWithHeaders(url, { ...elsewhere, authorization: 'Bearer wrong' }), 403);
});

t.test(
  'strangers share the limit of their address whatever key they name, and known boxes have their own',
  async (t) => {
    const relay = await start(t, { limits: { boxRequestsPerMinute: 20 } });
    const partnerId = await seedPartner(relay.store);
    const { siteId } = await seedSite(relay.store, partnerId);
    const { box } = await relay.claim(await relay.staff(partnerId, 'admin'), siteId);
    const orders = '/api/appliances/orders';
    t.equal((await box.send(orders)).status, 200, 'from here on the relay knows it');
    const statuses: number[] = [];
    for (let turn = 0; turn < 30; turn += 1) {
      const { status } = await box.send(orders, {
        tamper: (headers) => {
          const name = Object.keys(headers).find((key) => key.toLowerCase() === 'signature-input') as string;
          const forged = randomBytes(32).toString('base64url');
          headers[name] = (headers[name] as string).replace(box.fingerprint, forged);
        },
      });
      statuses.push(status);
    }
    t.same(
      [statuses.filter((status) => status === 401).length, statuses.filter((status) => status === 429).length],
      [19, 11],
      'the box’s own first request was one of the twenty',
    );
    for (let turn = 0; turn < 20; turn += 1) t.equal((await box.send(orders)).status, 200);
    t.equal((await box.send(orders)).status, 429);
  },
);
