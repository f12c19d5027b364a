import { isDeepStrictEqual } from 'node:util';
import {
  COVERED,
  parseGeneral,
  parseOwn,
  parseSignature,
  type RequestParts,
  signatureBase,
  signRequest,
  verifyRequest,
} from '@sitewarden/agent-proto/http-signature';
import { sign } from '@sitewarden/agent-proto/keys';
import fc from 'fast-check';
import t from 'tap';
import { testKey } from './keys-fixture.ts';

const key = testKey(1);
const nowS = 1_700_000_000;
const nonce = Buffer.alloc(16, 3).toString('base64url');
const url = 'https://relay.example/api/x?a=1';
const signed = signRequest({
  method: 'GET',
  url,
  keyId: key.fingerprint,
  privateKey: key.privateKey,
  createdS: nowS,
  nonce,
});
const input = signed['signature-input'];
const parts: RequestParts = {
  method: 'GET',
  authority: 'relay.example',
  path: '/api/x',
  query: '?a=1',
  headers: { ...signed, date: 'today' },
};

const parse = (signatureInput: string, signature = signed.signature) =>
  parseSignature({ 'signature-input': signatureInput, signature });

/** Signs any parameters over any components, as a foreign client would, and verifies the result. */
function verifyForeign(
  components: readonly string[],
  params: string,
  member: string,
): ReturnType<typeof verifyRequest> {
  const base = Buffer.from(signatureBase(components, params, parts) as string);
  const signature = Buffer.from(sign(key.privateKey, base)).toString('base64');
  const headers = { ...parts.headers, 'signature-input': member, signature: `sw=:${signature}:` };
  return verifyRequest({ ...parts, headers, body: Buffer.alloc(0) }, key.publicKey, { nowS, maxSkewS: 60 });
}

const bytes64 = fc.uint8Array({ minLength: 64, maxLength: 64 });
const ours = fc.record({
  createdS: fc.integer({ min: 0, max: 999_999_999_999_999 }),
  nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  keyId: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  signature: bytes64.map((bytes) => `sw=:${Buffer.from(bytes).toString('base64')}:`),
});

t.test('the fast path and the general parser agree on everything we write', async () => {
  fc.assert(
    fc.property(ours, ({ signature, ...fields }) => {
      const headers = signRequest({ method: 'GET', url, privateKey: key.privateKey, ...fields });
      const fast = parseOwn(headers['signature-input'], signature);
      const general = parseGeneral(headers['signature-input'], signature);
      return fast !== undefined && isDeepStrictEqual(fast, general);
    }),
    { numRuns: 200 },
  );
});

t.test('whatever the fast path takes after a random edit, the general parser reads the same way', async () => {
  const edit = fc.tuple(
    fc.nat(input.length),
    fc.nat(3),
    fc.string({ unit: fc.constantFrom(...'()"@;=, -_azAZ09:w'), maxLength: 3 }),
  );
  let taken = 0;
  fc.assert(
    fc.property(edit, fc.boolean(), ([at, removed, inserted], isInput) => {
      const spoil = (text: string) => text.slice(0, at) + inserted + text.slice(at + removed);
      const one = isInput ? spoil(input) : input;
      const two = isInput ? signed.signature : spoil(signed.signature);
      const fast = parseOwn(one, two);
      if (!fast) return true;
      taken += 1;
      const general = parseGeneral(one, two);
      return isDeepStrictEqual(fast, general);
    }),
    { numRuns: 3000 },
  );
  t.ok(taken > 10, `${taken} edits were still ours`);
});

t.test('any legal serialization of the same signature verifies', async () => {
  const names = fc.shuffledSubarray([...COVERED], { minLength: COVERED.length });
  const fields = [
    `created=${nowS}`,
    `nonce="${nonce}"`,
    `keyid="${key.fingerprint}"`,
    'alg="ed25519"',
    'tag="sitewarden-v1"',
  ];
  const order = fc.shuffledSubarray(fields, { minLength: fields.length });
  const spaces = fc.string({ unit: fc.constant(' '), maxLength: 2 });
  fc.assert(
    fc.property(names, order, spaces, fc.boolean(), fc.boolean(), (components, params, gap, hasOther, hasDate) => {
      const covered = hasDate ? [...components, 'date'] : components;
      const canonical = `(${covered.map((name) => `"${name}"`).join(' ')});${params.join(';')}`;
      const loose = `(${gap}${covered.map((name) => `"${name}"`).join(` ${gap}`)}${gap});${gap}${params.join(`;${gap}`)}`;
      const member = `${gap}sw=${loose}`;
      return verifyForeign(covered, canonical, hasOther ? `other=("@method");created=1,${gap}${member}` : member).ok;
    }),
    { numRuns: 100 },
  );
});

t.test('a signature of another label beside ours changes nothing', async (t) => {
  const headers = {
    'signature-input': `proxy=("@method");keyid="p", ${input}`,
    signature: `proxy=:AAAA:, ${signed.signature}`,
  };
  t.match(parseSignature(headers), { ok: true, keyId: key.fingerprint, nonce });
  const lines = { 'signature-input': ['proxy=("@method")', input], signature: ['proxy=:AAAA:', signed.signature] };
  t.match(parseSignature(lines), { ok: true, keyId: key.fingerprint, nonce });
});

t.test('only signatures of other labels are no signature of ours', async (t) => {
  t.strictSame(parse('proxy=("@method")', 'proxy=:AAAA:'), { ok: false, code: 'SIGNATURE_MISSING' });
});

for (const name of COVERED) {
  t.test(`leaving ${name} uncovered is refused`, async (t) => {
    t.strictSame(parse(input.replace(`"${name}"`, '"date"')), { ok: false, code: 'SIGNATURE_COMPONENTS' });
  });
}

const malformed: [string, string, string?][] = [
  ['an empty input', ' '],
  ['no structured field', 'sw=('],
  ['an item instead of a list', 'sw="@method"'],
  ['a bare label', 'sw'],
  ['no created', input.replace(`;created=${nowS}`, '')],
  ['no nonce', input.replace(/;nonce="[^"]*"/, '')],
  ['no keyid', input.replace(/;keyid="[^"]*"/, '')],
  ['no alg', input.replace(';alg="ed25519"', '')],
  ['no tag', input.replace(';tag="sitewarden-v1"', '')],
  ['another alg', input.replace('ed25519', 'hmac-sha256')],
  ['alg as a token', input.replace('"ed25519"', 'ed25519')],
  ['another tag', input.replace('sitewarden-v1', 'sitewarden-v2')],
  ['an unknown parameter', `${input};expires=${nowS + 5}`],
  ['created as text', input.replace(`created=${nowS}`, `created="${nowS}"`)],
  ['created with a fraction', input.replace(`created=${nowS}`, `created=${nowS}.5`)],
  ['created before 1970', input.replace(`created=${nowS}`, 'created=-1')],
  ['created as a flag', input.replace(`created=${nowS}`, 'created')],
  ['a short nonce', input.replace(nonce, nonce.slice(1))],
  ['a long nonce', input.replace(nonce, `${nonce}A`)],
  ['a nonce with loose bits', input.replace(nonce, `${nonce.slice(0, -1)}B`)],
  ['a short keyid', input.replace(key.fingerprint, key.fingerprint.slice(1))],
  ['a component twice', input.replace('"@path"', '"@path" "@path"')],
  ['a component with a parameter', input.replace('"@path"', '"@path";req')],
  ['a component that is a token', input.replace('"@path"', 'path')],
  ['a trailing comma', `${input},`],
  ['no base64', input, 'sw=:%%%:'],
  ['63 bytes', input, `sw=:${Buffer.alloc(63).toString('base64')}:`],
  ['65 bytes', input, `sw=:${Buffer.alloc(65).toString('base64')}:`],
  ['a signature as text', input, 'sw="AAAA"'],
  ['a signature under another label', input, signed.signature.replace('sw', 'xw')],
  ['an endless header', `${input}, ${'x, '.repeat(2000)}y`],
];

for (const [name, header, signature] of malformed) {
  t.test(`signature headers with ${name} are malformed`, async (t) => {
    t.not(header + signature, input + signed.signature);
    t.strictSame(parse(header, signature ?? signed.signature), { ok: false, code: 'SIGNATURE_MALFORMED' });
  });
}

t.test('no header text makes the parser throw', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom('sw', '=', '(', ')', '"', ':', ';', ',', ' ', '@', '?', '%', '-', '1', '.', 'a', '\\'),
    }),
  );
  fc.assert(
    fc.property(text, text, (one, two) => typeof parse(one, two).ok === 'boolean'),
    { numRuns: 1000 },
  );
});

t.test('the longest header we take is refused quickly', async (t) => {
  const start = process.hrtime.bigint();
  for (const filler of ['("', '(', ';a', 'a,', '\\', ':']) parse(`sw=${filler.repeat(4090 / filler.length)}`);
  t.ok(Number(process.hrtime.bigint() - start) / 1e6 < 1000);
});
