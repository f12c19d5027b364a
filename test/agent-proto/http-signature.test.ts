import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  COVERED,
  contentDigest,
  type Headers,
  isDigestOf,
  makeNonce,
  type ReceivedRequest,
  SIGNATURE_CODES,
  signatureBase,
  signRequest,
  verifyRequest,
  verifyRequestAsync,
} from '@sitewarden/agent-proto/http-signature';
import { publicKeyFromRaw, sign, verify } from '@sitewarden/agent-proto/keys';
import fc from 'fast-check';
import t from 'tap';
import vectors from '../../agent-proto/fixtures/vectors/http-signature.json' with { type: 'json' };
import { privateKeyFromSeed, testKey } from './keys-fixture.ts';

const key = testKey(1);
const stranger = testKey(2);
const nowS = 1_700_000_000;
const options = { nowS, maxSkewS: 60 };
const nonce = Buffer.alloc(16, 9).toString('base64url');

type Sent = { method?: string; url?: string; body?: string; createdS?: number; checkinToken?: string };

/** A signed request as the relay would receive it. */
function received({
  method = 'POST',
  url = 'https://relay.example/api/x?a=1',
  body = '{}',
  createdS = nowS,
  checkinToken,
}: Sent = {}): ReceivedRequest {
  const signed = signRequest({
    method,
    url,
    body,
    keyId: key.fingerprint,
    privateKey: key.privateKey,
    createdS,
    nonce,
    checkinToken,
  });
  const { host, pathname, search } = new URL(url);
  const headers = { host, 'content-type': 'application/json', ...signed };
  return { method, authority: host, path: pathname, query: search, headers, body: Buffer.from(body) };
}

/** Both verifiers must say the same. */
async function verdict(request: ReceivedRequest, verifyOptions = options) {
  const now = verifyRequest(request, key.publicKey, verifyOptions);
  t.strictSame(await verifyRequestAsync(request, key.publicKey, verifyOptions), now);
  return now;
}

const withHeaders = (request: ReceivedRequest, headers: Headers): ReceivedRequest => ({
  ...request,
  headers: { ...request.headers, ...headers },
});

t.test('RFC 9421 B.2.6: the general builder makes the published base, and the signature verifies', async (t) => {
  const { request, components, params, base, signature, publicKey, privateKeyD } = vectors.rfc9421;
  const built = signatureBase(components, params, request);
  t.equal(built, base.join('\n'));
  const bytes = Buffer.from(built as string);
  t.equal(verify(publicKeyFromRaw(publicKey), bytes, Buffer.from(signature, 'base64')), true);
  const privateKey = privateKeyFromSeed(Buffer.from(privateKeyD, 'base64url').toString('hex'));
  t.equal(Buffer.from(sign(privateKey, bytes)).toString('base64'), signature);
});

for (const { body, sha256, sha512 } of vectors.digests) {
  t.test(`RFC 9530: the digest of ${JSON.stringify(body)}`, async (t) => {
    const bytes = Buffer.from(body);
    t.equal(contentDigest(bytes), sha256);
    t.ok(isDigestOf(sha256, bytes));
    t.notOk(isDigestOf(sha256, Buffer.from(`${body} `)));
    if (sha512) {
      t.ok(isDigestOf(`${sha512}, ${sha256}`, bytes), 'both, and both right');
      t.notOk(isDigestOf(sha512, bytes), 'sha-256 has to be there');
      t.notOk(isDigestOf(`${sha256}, sha-512=:AAAA:`, bytes), 'a wrong second digest');
    }
    t.ok(isDigestOf(`unixsum=:AAAA:, ${sha256}`, bytes), 'unknown algorithms are ignored');
  });
}

t.test('a digest that is no digest never matches', async (t) => {
  for (const header of [
    '',
    'sha-256',
    'sha-256=1',
    'sha-256="x"',
    'sha-256=::',
    'sha-256=(1 2)',
    'x',
    '\u0000',
    'sha-256=:%:',
  ]) {
    t.notOk(isDigestOf(header, Buffer.alloc(0)), header);
  }
});

t.test('a request just signed verifies and names key, time and nonce', async (t) => {
  t.strictSame(await verdict(received()), {
    ok: true,
    keyId: key.fingerprint,
    createdS: nowS,
    nonce,
    checkinToken: null,
  });
});

t.test('what the URL parser normalizes is what is covered', async (t) => {
  const url = 'https://RELAY.example:443/a/../b c?x=%20y#fragment';
  const request = received({ url });
  t.match(request, { authority: 'relay.example', path: '/b%20c', query: '?x=%20y' });
  t.ok((await verdict(request)).ok);
  t.ok((await verdict({ ...request, authority: 'Relay.Example' })).ok, 'the case of a host means nothing');
});

t.test('no query, an empty query and a bare question mark are the same', async (t) => {
  const request = received({ url: 'https://relay.example/x' });
  t.ok((await verdict({ ...request, query: '' })).ok);
  t.ok((await verdict({ ...request, query: '?' })).ok);
});

t.test('the empty body of a GET has a digest too', async (t) => {
  const request = received({ method: 'GET', body: '' });
  t.equal(request.headers['content-digest'], contentDigest(Buffer.alloc(0)));
  t.ok((await verdict(request)).ok);
});

t.test('every covered part is covered', async (t) => {
  const good = received();
  const changed: [string, ReceivedRequest][] = [
    ['method', { ...good, method: 'PUT' }],
    ['authority', { ...good, authority: 'other.example' }],
    ['port', { ...good, authority: 'relay.example:8443' }],
    ['path', { ...good, path: '/api/y' }],
    ['case of the path', { ...good, path: '/API/x' }],
    ['query', { ...good, query: '?a=2' }],
    ['missing query', { ...good, query: '' }],
    [
      'digest and body',
      withHeaders({ ...good, body: Buffer.from('[]') }, { 'content-digest': contentDigest(Buffer.from('[]')) }),
    ],
    ['signature', withHeaders(good, { signature: received({ body: '[]' }).headers.signature })],
  ];
  for (const [name, request] of changed)
    t.strictSame(await verdict(request), { ok: false, code: 'SIGNATURE_INVALID' }, name);
  t.strictSame(verifyRequest(good, stranger.publicKey, options), { ok: false, code: 'SIGNATURE_INVALID' });
});

t.test('every parameter is covered', async (t) => {
  const good = received();
  const input = good.headers['signature-input'] as string;
  const changed = [
    input.replace(`created=${nowS}`, `created=${nowS + 1}`),
    input.replace(nonce, makeNonce()),
    input.replace(key.fingerprint, stranger.fingerprint),
    input.replace(/(;created=\d+)(;nonce="[^"]+")/, '$2$1'),
    input.replace('"@method" "@authority"', '"@authority" "@method"'),
  ];
  for (const header of changed) {
    t.not(header, input);
    t.match(
      await verdict(withHeaders(good, { 'signature-input': header })),
      { ok: false, code: 'SIGNATURE_INVALID' },
      header,
    );
  }
});

t.test('a body that is not the one digested is a digest mismatch', async (t) => {
  const good = received();
  t.strictSame(await verdict({ ...good, body: Buffer.from('{} ') }), { ok: false, code: 'DIGEST_MISMATCH' });
  t.strictSame(await verdict({ ...good, body: Buffer.alloc(0) }), { ok: false, code: 'DIGEST_MISMATCH' });
  t.strictSame(await verdict(withHeaders(good, { 'content-digest': 'sha-256=:AAAA:' })), {
    ok: false,
    code: 'DIGEST_MISMATCH',
  });
});

t.test('a clock outside the window is named with its offset, on both sides', async (t) => {
  for (const [offsetS, isIn] of [
    [0, true],
    [60, true],
    [-60, true],
    [61, false],
    [-61, false],
    [-nowS, false],
  ] as const) {
    const expected = isIn ? { ok: true, createdS: nowS + offsetS } : { ok: false, code: 'CLOCK_SKEW', offsetS };
    t.match(await verdict(received({ createdS: nowS + offsetS })), expected, `${offsetS} s`);
  }
  t.match(await verdict(received(), { nowS: Number.NaN, maxSkewS: 60 }), { ok: false, code: 'CLOCK_SKEW' });
});

t.test('missing signature headers are missing, half of them is malformed', async (t) => {
  const good = received();
  t.strictSame(await verdict({ ...good, headers: {} }), { ok: false, code: 'SIGNATURE_MISSING' });
  t.strictSame(await verdict(withHeaders(good, { signature: undefined })), { ok: false, code: 'SIGNATURE_MALFORMED' });
  t.strictSame(await verdict(withHeaders(good, { 'signature-input': undefined })), {
    ok: false,
    code: 'SIGNATURE_MALFORMED',
  });
  t.strictSame(await verdict(withHeaders(good, { 'content-digest': undefined })), {
    ok: false,
    code: 'SIGNATURE_COMPONENTS',
  });
});

t.test('a line break in a part cannot forge another line', async (t) => {
  const good = received();
  const forged = [
    { ...good, method: 'GET\n"@authority": other.example' },
    { ...good, path: '/x\n"@query": ?y' },
    { ...good, path: '/x y' },
    { ...good, query: '?a\r\n' },
    { ...good, authority: '' },
    { ...good, authority: 'rel\u00e4y.example' },
    withHeaders(good, { 'content-digest': 'sha-256=:AAAA:\n"x": y' }),
  ];
  for (const request of forged) t.strictSame(await verdict(request), { ok: false, code: 'SIGNATURE_COMPONENTS' });
});

t.test('repeated field lines are joined, folded ones unfolded, as RFC 9421 says', async (t) => {
  const request = {
    method: 'GET',
    authority: 'a',
    path: '/',
    query: '',
    headers: { 'x-list': ['  one ', 'two'], 'x-fold': 'a\r\n  b' },
  };
  t.equal(
    signatureBase(['x-list', 'x-fold'], '()', request),
    '"x-list": one, two\n"x-fold": a b\n"@signature-params": ()',
  );
  for (const name of ['x-none', '@status', '@target-uri', 'X-List', 'a b', '__proto__', 'constructor', '']) {
    t.equal(signatureBase([name], '()', request), undefined, name);
  }
});

t.test('a check-in token is signed along, and one that is not is refused', async (t) => {
  const checkinToken = 'AGsDSCfMMKVyNDxZVOdr8w';
  const header = 'sitewarden-checkin-token';
  const request = received({ checkinToken });
  t.match(request.headers['signature-input'], / "sitewarden-checkin-token"\);created/);
  t.match(await verdict(request), { ok: true, checkinToken });
  t.match(await verdict(received()), { ok: true, checkinToken: null });
  const other = withHeaders(request, { [header]: 'B'.repeat(22) });
  t.match(await verdict(other), { ok: false, code: 'SIGNATURE_INVALID' });
  t.match(await verdict(withHeaders(request, { [header]: undefined })), { ok: false, code: 'SIGNATURE_COMPONENTS' });
  const unsigned = withHeaders(received(), { [header]: checkinToken });
  t.match(await verdict(unsigned), { ok: false, code: 'SIGNATURE_COMPONENTS' });
});

t.test('a request that cannot be signed is refused with the field named', async (t) => {
  const good = {
    method: 'GET',
    url: 'https://relay.example/',
    keyId: key.fingerprint,
    privateKey: key.privateKey,
    createdS: nowS,
    nonce,
    checkinToken: undefined as string | undefined,
  };
  t.doesNotThrow(() => signRequest(good));
  const bad: [Partial<typeof good>, RegExp][] = [
    [{ keyId: 'short' }, /keyId/],
    [{ keyId: `${key.fingerprint.slice(0, -1)}"` }, /keyId/],
    [{ nonce: '' }, /nonce/],
    [{ nonce: `${nonce}A` }, /nonce/],
    [{ nonce: `${nonce.slice(0, -1)}B` }, /nonce/],
    [{ checkinToken: 'short' }, /checkinToken/],
    [{ createdS: 1.5 }, /createdS/],
    [{ createdS: -1 }, /createdS/],
    [{ url: '/relative' }, /url/],
    [{ method: 'GE T' }, /method/],
    [{ method: '' }, /method/],
  ];
  for (const [change, message] of bad)
    t.throws(() => signRequest({ ...good, ...change }), { code: 'HTTP_SIGNATURE_INPUT', message });
});

t.test('nonces are 16 fresh bytes', async (t) => {
  const nonces = Array.from({ length: 500 }, makeNonce);
  t.equal(new Set(nonces).size, 500);
  t.ok(nonces.every((text) => Buffer.from(text, 'base64url').length === 16 && text.length === 22));
});

t.test('every refusal code has a sentence with a next step', async (t) => {
  for (const [code, sentence] of Object.entries(SIGNATURE_CODES)) t.match(sentence, /^[^.]+\. [^.]+\.$/, code);
});

t.test('a signed request survives a real HTTP connection', async (t) => {
  const verdicts: unknown[] = [];
  const server = createServer(async (incoming: IncomingMessage, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const target = incoming.url as string;
    const cut = target.indexOf('?');
    const request = {
      method: incoming.method as string,
      authority: incoming.headers.host as string,
      path: cut < 0 ? target : target.slice(0, cut),
      query: cut < 0 ? '' : target.slice(cut),
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    verdicts.push(verifyRequest(request, key.publicKey, options).ok);
    outgoing.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const [method, path, body] of [
    ['POST', '/a/b?c=d&e', '{"é":1}'],
    ['GET', '/', undefined],
    ['PUT', '/x?', 'y'],
    ['DELETE', '/%C3%A9//z', undefined],
  ] as const) {
    const url = new URL(path, origin);
    const headers = signRequest({
      method,
      url,
      body,
      keyId: key.fingerprint,
      privateKey: key.privateKey,
      createdS: nowS,
      nonce,
    });
    const answer = await fetch(url, { method, headers: { ...headers }, ...(body === undefined ? {} : { body }) });
    await answer.arrayBuffer();
  }
  t.same(verdicts, [true, true, true, true]);
});

t.test('any request that can be signed verifies, and not after any single change', async () => {
  const path = fc.webPath().map((text) => (text.startsWith('/') ? text : `/${text}`));
  const query = fc.webQueryParameters();
  const body = fc.uint8Array({ maxLength: 60 });
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
      path,
      query,
      body,
      (method, pathname, search, bytes) => {
        const url = new URL(`https://relay.example${pathname}${search ? `?${search}` : ''}`);
        const headers = signRequest({
          method,
          url,
          body: bytes,
          keyId: key.fingerprint,
          privateKey: key.privateKey,
          createdS: nowS,
          nonce,
        });
        const good = { method, authority: url.host, path: url.pathname, query: url.search, headers, body: bytes };
        const bad = [
          { ...good, method: `${method}X` },
          { ...good, path: `${good.path}x` },
          { ...good, query: `${good.query}x` },
          { ...good, body: Buffer.concat([bytes, Buffer.from([0])]) },
        ];
        return (
          verifyRequest(good, key.publicKey, options).ok &&
          bad.every((request) => !verifyRequest(request, key.publicKey, options).ok)
        );
      },
    ),
    { numRuns: 60 },
  );
});

t.test('preparing a verification costs a small part of the signature check', async (t) => {
  const request = received();
  const base = Buffer.from(
    signatureBase(COVERED, (request.headers['signature-input'] as string).slice(3), request) as string,
  );
  const signature = sign(key.privateKey, base);
  const timeUs = (run: () => unknown) => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < 200; i += 1) run();
    return Number(process.hrtime.bigint() - start) / 2e5;
  };
  const bare: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    bare.push(timeUs(() => verify(key.publicKey, base, signature)));
    whole.push(timeUs(() => verifyRequest(request, key.publicKey, options)));
  }
  const ratio = Math.min(...bare) / Math.min(...whole);
  t.comment(
    `bare ${Math.min(...bare).toFixed(1)} us, whole ${Math.min(...whole).toFixed(1)} us, ratio ${ratio.toFixed(2)}`,
  );
  t.ok(ratio > 0.6, 'measured 0.9 to 0.97 on a quiet machine');
});
