import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { newId } from '@sitewarden/kit/ids';
import fc from 'fast-check';
import t from 'tap';
import { applianceErrors } from '../../../appliance/errors.ts';
import { createFormTokens, isOwnHost, isOwnOrigin } from '../../../appliance/local/guard.ts';
import { ADMIN_TOKEN_FILE } from '../../../appliance/local/index.ts';
import { localPage } from '../../helpers/local-page.ts';

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** node:http, since fetch does not let a test choose Host or Origin. */
function call(url: string, { method = 'GET', path = '/', headers = {}, body }: Call) {
  const { hostname, port } = new URL(url);
  return new Promise<{ status: number; text: string; location: string | undefined; json: () => { code?: string } }>(
    (resolve, reject) => {
      const req = request({ hostname, port, method, path, headers }, (answer) => {
        let text = '';
        answer.on('data', (chunk) => (text += chunk));
        answer.on('end', () => {
          resolve({
            status: answer.statusCode ?? 0,
            text,
            location: answer.headers.location,
            json: () => JSON.parse(text),
          });
        });
      });
      req.on('error', reject);
      req.end(body);
    },
  );
}

t.test('the box answers to addresses, localhost, .local names and configured ones', async (t) => {
  const own = ['box.clinic.example'];
  for (const host of [
    '127.0.0.1',
    '192.168.7.5:8080',
    '[::1]:8080',
    'localhost:8080',
    'sitewarden.local',
    'a.b.local:80',
    'BOX.clinic.example',
    'localhost.',
  ]) {
    t.ok(isOwnHost(host, own), host);
  }
  for (const host of [
    undefined,
    '',
    'evil.example',
    'evil.example:8080',
    'local',
    '.local',
    'x.local.evil.example',
    'a b.local',
    'localhost:8080@evil',
    '127.0.0.1.evil.example',
    'user@localhost',
    '[::1',
    'localhost:999999',
  ]) {
    t.notOk(isOwnHost(host, own), String(host));
  }
});

t.test('a page of another name cannot be opened, so a rebound name reads nothing', async (t) => {
  const { url } = await localPage(t, 'hostNames: [box.clinic.example]');
  for (const path of ['/', '/api/local/status', '/health', '/metrics', '/nothing']) {
    const answer = await call(url, { path, headers: { host: 'attacker.example:8080' } });
    t.equal(answer.status, 421, path);
    t.equal(answer.json().code, 'LOCAL_HOST_REFUSED');
  }
  t.equal((await call(url, { headers: { host: 'box.clinic.example' } })).status, 200);
});

t.test('only the own page or a program may send', async (t) => {
  const host = 'sitewarden.local:8080';
  t.ok(isOwnOrigin({ host }));
  t.ok(isOwnOrigin({ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }));
  t.notOk(isOwnOrigin({ host, origin: 'http://sitewarden.local' }));
  t.notOk(isOwnOrigin({ host, origin: 'null' }));
  t.notOk(isOwnOrigin({ host, 'sec-fetch-site': 'cross-site' }));
  t.notOk(isOwnOrigin({ host, 'sec-fetch-site': 'same-site' }));
});

t.test('a form token is good for an hour, in this process only', async (t) => {
  let nowMs = 5000.7;
  const forms = createFormTokens(() => nowMs);
  const token = forms.make();
  t.ok(forms.isValid(token));
  t.notOk(createFormTokens(() => nowMs).isValid(token));
  for (const bad of [undefined, '', '.', 'x.y', `${token}x`, token.slice(1), 'a'.repeat(1000)])
    t.notOk(forms.isValid(bad));
  nowMs += 3_600_001;
  t.notOk(forms.isValid(token));
});

const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_TYPE = { 'content-type': 'application/json' };

t.test('a typed code goes to the claim, and the reader back to the page', async (t) => {
  const { url, said } = await localPage(t);
  const typed: string[] = [];
  said.claimWithCode = async (text) => {
    typed.push(text);
    return said.claim;
  };
  const page = (await call(url, {})).text;
  const token = /name="form" value="([^"]+)"/.exec(page)?.[1] as string;
  const body = form({ code: 'bcdf ghjkl mnpqr', form: token });
  const answer = await call(url, { method: 'POST', path: '/claim', headers: FORM, body });
  t.equal(answer.status, 303);
  t.equal(answer.location, '/');
  t.strictSame(typed, ['bcdf ghjkl mnpqr']);

  const forged = await call(url, {
    method: 'POST',
    path: '/claim',
    headers: FORM,
    body: form({ code: 'x', form: 'y' }),
  });
  t.equal(forged.json().code, 'LOCAL_FORM_EXPIRED');
  const foreign = { ...FORM, origin: 'http://evil.example' };
  t.equal(
    (await call(url, { method: 'POST', path: '/claim', headers: foreign, body })).json().code,
    'LOCAL_ORIGIN_REFUSED',
  );
  t.equal(typed.length, 1);
});

t.test('a code that is not taken is explained where it was typed, and not repeated', async (t) => {
  const { url, said } = await localPage(t);
  said.claimWithCode = () => Promise.reject(applianceErrors.make('CODE_USED'));
  const token = /name="form" value="([^"]+)"/.exec((await call(url, {})).text)?.[1] as string;
  const body = form({ code: 'SECRETCODE', form: token });
  const answer = await call(url, { method: 'POST', path: '/claim', headers: FORM, body });
  t.equal(answer.status, 409);
  t.match(answer.text, /role="alert">This code was used by another box\. Ask for a new one/);
  t.match(answer.text, /aria-invalid="true"/);
  t.notMatch(answer.text, /SECRETCODE/);
});

t.test('the claim by JSON takes JSON only, from the own page or a program', async (t) => {
  const { url, said } = await localPage(t);
  const post = (headers: Record<string, string>, body: string) =>
    call(url, { method: 'POST', path: '/api/local/claim', headers, body });
  t.match((await post(JSON_TYPE, '{"code":"x"}')).json(), { phase: 'showing' });
  t.equal(
    (await post({ ...JSON_TYPE, origin: 'http://evil.example' }, '{"code":"x"}')).json().code,
    'LOCAL_ORIGIN_REFUSED',
  );
  t.match((await post(FORM, 'code=x')).json(), { code: 'LOCAL_BODY_INVALID' });
  t.match((await post({ 'content-type': 'text/plain' }, '{"code":"x"}')).json(), { code: 'LOCAL_BODY_INVALID' });
  t.match((await post(JSON_TYPE, '{}')).json(), { code: 'LOCAL_BODY_INVALID', field: '/code' });
  t.match((await post(JSON_TYPE, '{"code":"x","more":1}')).json(), { code: 'LOCAL_BODY_INVALID' });
  t.match((await post(JSON_TYPE, '{')).json(), { code: 'LOCAL_BODY_INVALID' });
  t.match((await post(JSON_TYPE, `{"code":"${'x'.repeat(20_000)}"}`)).json(), { code: 'LOCAL_BODY_TOO_LARGE' });
  said.claimWithCode = () => Promise.reject(applianceErrors.make('WRONG_RELAY'));
  t.match((await post(JSON_TYPE, '{"code":"x"}')).json(), {
    code: 'WRONG_RELAY',
    message: /Ask for a code of the relay/,
  });
  said.claimWithCode = () => Promise.reject(new Error('inside: secret path'));
  const failed = await post(JSON_TYPE, '{"code":"x"}');
  t.equal(failed.status, 500);
  t.notMatch(failed.text, /secret path/);
});

t.test('agents are managed with the token of the data folder only', async (t) => {
  const { ctx, url, said } = await localPage(t);
  const path = join(ctx.config.dataDir, ADMIN_TOKEN_FILE);
  t.equal(statSync(path).mode & 0o777, 0o600);
  const token = (await readFile(path, 'utf8')).trim();
  t.match(token, /^swl_[A-Za-z0-9_-]{43}$/);
  const id = newId('agt');
  const create = (authorization?: string) =>
    call(url, { method: 'POST', path: '/api/local/agent-tokens', headers: authorization ? { authorization } : {} });
  const remove = (target: string, authorization?: string) =>
    call(url, {
      method: 'DELETE',
      path: `/api/local/agents/${target}`,
      headers: authorization ? { authorization } : {},
    });

  for (const bad of [undefined, 'Bearer ', `Bearer ${token}x`, `Basic ${token}`, token]) {
    t.equal((await create(bad)).json().code, 'LOCAL_TOKEN_NEEDED', String(bad));
    t.equal((await remove(id, bad)).json().code, 'LOCAL_TOKEN_NEEDED');
  }
  t.strictSame(said.removed, []);
  t.match((await create(`Bearer ${token}`)).json(), { token: 'swt_x', siteCaSha256: /^0+$/ });
  t.match((await remove(id, `Bearer ${token}`)).json(), { removed: id });
  t.match((await remove('agt_nope', `bearer ${token}`)).json(), { code: 'LOCAL_BODY_INVALID', field: '/id' });
  t.strictSame(said.removed, [id]);
});

t.test('the token stays the same across restarts, and a damaged one is made anew', async (t) => {
  const { ctx, local } = await localPage(t);
  const path = join(ctx.config.dataDir, ADMIN_TOKEN_FILE);
  const before = await readFile(path, 'utf8');
  await local.stop();
  await local.start();
  t.equal(await readFile(path, 'utf8'), before);
  await local.stop();
  const { writeFile } = await import('node:fs/promises');
  await writeFile(path, 'short');
  await local.start();
  t.match(await readFile(path, 'utf8'), /^swl_[A-Za-z0-9_-]{43}\n$/);
});

t.test('codes are tried slowly, and too many requests are told to wait', async (t) => {
  const { url, said } = await localPage(t);
  said.claimWithCode = () => Promise.reject(applianceErrors.make('CODE_INVALID'));
  const codes: (string | undefined)[] = [];
  for (let i = 0; i < 25; i++) {
    const answer = await call(url, {
      method: 'POST',
      path: '/api/local/claim',
      headers: JSON_TYPE,
      body: '{"code":"x"}',
    });
    codes.push(answer.json().code);
  }
  t.equal(codes.filter((code) => code === 'CODE_INVALID').length, 20);
  t.equal(codes.at(-1), 'LOCAL_RATE_LIMITED');
  t.equal((await call(url, {})).status, 200, 'the page itself goes on');
});

t.test('whatever is sent, the box answers with a code of its own and never with a failure', async (t) => {
  const { url } = await localPage(t);
  const header = fc
    .string({ unit: 'grapheme-ascii', maxLength: 60 })
    .map((text) => text.replaceAll(/[^\x20-\x7e]/g, ''));
  const sent = fc.record({
    method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'HEAD'),
    path: fc.oneof(
      fc.constantFrom('/', '/claim', '/api/local/claim', '/api/local/agents/x', '/api/local/agent-tokens'),
      fc.webUrl().map((text) => new URL(text).pathname),
    ),
    type: fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data'),
    authorization: header,
    origin: header,
    body: fc.oneof(fc.json(), fc.string({ maxLength: 300 })),
  });
  await fc.assert(
    fc.asyncProperty(sent, async ({ method, path, type, authorization, origin, body }) => {
      const headers = {
        'content-type': type,
        authorization,
        origin,
        'content-length': String(Buffer.byteLength(body)),
      };
      const answer = await call(url, { method, path, headers, body });
      if (answer.status >= 500) throw new Error(`${answer.status} ${answer.text}`);
      if (answer.status >= 400 && method !== 'HEAD') t.match(answer.json().code ?? '', /^[A-Z_]+$/);
    }),
    { numRuns: 150 },
  );
  t.equal((await call(url, {})).status, 200);
});
