import {
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  MAX_ENVELOPE_BYTES,
  pae,
  signEnvelope,
  verifyEnvelope,
  verifyEnvelopeAsync,
} from '@sitewarden/agent-proto/dsse';
import { sign, signAsync } from '@sitewarden/agent-proto/keys';
import fc from 'fast-check';
import t from 'tap';
import vector from '../../agent-proto/fixtures/vectors/dsse.json' with { type: 'json' };
import { testKey } from './keys-fixture.ts';

const key = testKey(1);
const stranger = testKey(2);

function envelopeOf(payload: Uint8Array | string, payloadType = 'application/json'): Envelope {
  const signBytes = (bytes: Uint8Array) => sign(key.privateKey, bytes);
  return signEnvelope({
    payloadType,
    payload: Buffer.from(payload as string),
    keyId: key.fingerprint,
    sign: signBytes,
  });
}

t.test('the published example has the published pre-authentication encoding', async (t) => {
  t.equal(Buffer.from(pae(vector.payloadType, Buffer.from(vector.payload))).toString(), vector.pae);
});

t.test('lengths in the pre-authentication encoding count bytes', async (t) => {
  t.equal(Buffer.from(pae('é', Buffer.from('€'))).toString(), 'DSSEv1 2 é 3 €');
  t.equal(Buffer.from(pae('', Buffer.alloc(0))).toString(), 'DSSEv1 0  0 ');
});

t.test('no two different pairs of type and payload are signed as the same bytes', async () => {
  const pair = fc.tuple(
    fc.string({ unit: fc.constantFrom(' ', '1', '2', 'a') }),
    fc.string({ unit: fc.constantFrom(' ', '1', 'a') }),
  );
  fc.assert(
    fc.property(pair, pair, ([typeA, bodyA], [typeB, bodyB]) => {
      const isSame = Buffer.compare(pae(typeA, Buffer.from(bodyA)), pae(typeB, Buffer.from(bodyB))) === 0;
      return isSame === (typeA === typeB && bodyA === bodyB);
    }),
    { numRuns: 500 },
  );
});

t.test('an envelope survives the wire and gives back its payload', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (payload) => {
      const bytes = encodeEnvelope(envelopeOf(payload));
      const envelope = decodeEnvelope(bytes);
      return (
        Buffer.from(encodeEnvelope(envelope)).equals(bytes) &&
        Buffer.from(verifyEnvelope(envelope, key.publicKey)).equals(payload) &&
        Buffer.from(await verifyEnvelopeAsync(envelope, key.publicKey)).equals(payload)
      );
    }),
    { numRuns: 60 },
  );
});

t.test('signing on the thread pool gives the same envelope', async (t) => {
  const input = { payloadType: 'text/plain', payload: Buffer.from('x'), keyId: key.fingerprint };
  const later = await signEnvelope({ ...input, sign: (bytes) => signAsync(key.privateKey, bytes) });
  const now = signEnvelope({ ...input, sign: (bytes) => sign(key.privateKey, bytes) });
  t.same(encodeEnvelope(later), encodeEnvelope(now));
});

t.test('the serialization is fixed: member order, no spaces, padded base64', async (t) => {
  const text = Buffer.from(encodeEnvelope(envelopeOf('hi', 'a/b'))).toString();
  t.match(
    text,
    /^\{"payloadType":"a\/b","payload":"aGk=","signatures":\[\{"keyid":"[\w-]{43}","sig":"[\w+/]{86}=="\}\]\}$/,
  );
});

t.test('another key, type or payload does not verify', async (t) => {
  const envelope = envelopeOf('payload');
  const others: [string, Envelope][] = [
    ['type', { ...envelope, payloadType: 'application/jsom' }],
    ['payload', { ...envelope, payload: Buffer.from('Payload') }],
    ['signature', { ...envelope, signature: Buffer.alloc(64) }],
    ['short signature', { ...envelope, signature: Buffer.alloc(0) }],
  ];
  t.throws(() => verifyEnvelope(envelope, stranger.publicKey), { code: 'DSSE_SIGNATURE' });
  await t.rejects(verifyEnvelopeAsync(envelope, stranger.publicKey), { code: 'DSSE_SIGNATURE' });
  for (const [name, other] of others) {
    t.throws(() => verifyEnvelope(other, key.publicKey), { code: 'DSSE_SIGNATURE' }, name);
    await t.rejects(verifyEnvelopeAsync(other, key.publicKey), { code: 'DSSE_SIGNATURE' }, name);
  }
});

const good = Buffer.from(encodeEnvelope(envelopeOf('{"a":1}'))).toString();
const signature = good.slice(good.indexOf('[{') + 1, good.indexOf('}]') + 1);

const refused: [string, string][] = [
  ['nothing', ''],
  ['no JSON', 'hello'],
  ['null', 'null'],
  ['an array', `[${good}]`],
  ['a space', good.replace('{', '{ ')],
  ['a trailing newline', `${good}\n`],
  ['a BOM', `\ufeff${good}`],
  ['an unknown member', good.replace('{', '{"x":1,')],
  ['an unknown member of the signature', good.replace('"keyid"', '"x":1,"keyid"')],
  ['a repeated member', good.replace('{', '{"payloadType":"application/json",')],
  ['other member order', good.replace(/("payloadType":"[^"]*"),("payload":"[^"]*")/, '$2,$1')],
  ['no signature', good.replace(signature, '')],
  ['two signatures', good.replace(signature, `${signature},${signature}`)],
  ['signatures that are no list', good.replace(`[${signature}]`, signature)],
  ['a signature that is null', good.replace(signature, 'null')],
  ['no keyid', good.replace(/"keyid":"[^"]*",/, '')],
  ['an empty keyid', good.replace(/"keyid":"[^"]*"/, '"keyid":""')],
  ['a keyid that is a number', good.replace(/"keyid":"[^"]*"/, '"keyid":5')],
  ['an empty payload type', good.replace('application/json', '')],
  ['a payload type with an escape', good.replace('application/json', 'application\\/json')],
  ['a payload type beyond ASCII', good.replace('application/json', 'applicatiön/json')],
  ['payload in base64url', good.replace('eyJhIjoxfQ==', 'eyJhIjoxfQ')],
  ['payload with loose bits', good.replace('eyJhIjoxfQ==', 'eyJhIjoxfR==')],
  ['payload with a line break', good.replace('eyJhIjoxfQ==', 'eyJh\\nIjoxfQ==')],
  ['payload that is an object', good.replace('"eyJhIjoxfQ=="', '{"a":1}')],
  ['a short signature', good.replace(/"sig":"[^"]*"/, '"sig":"AAAA"')],
  ['a member named __proto__', good.replace('{', '{"__proto__":{},')],
];

for (const [name, text] of refused) {
  t.test(`decoding refuses ${name}`, async (t) => {
    t.not(text, good, 'the case differs from the good one');
    t.throws(() => decodeEnvelope(Buffer.from(text)), { code: 'DSSE_FORMAT' });
  });
}

t.test('encoding refuses members it could not write strictly', async (t) => {
  const envelope = envelopeOf('x');
  const bad: Partial<Envelope>[] = [
    { payloadType: '' },
    { payloadType: 'a"b' },
    { payloadType: 'a\\b' },
    { payloadType: 'a b' },
    { payloadType: 'a'.repeat(256) },
    { keyId: '' },
    { keyId: 'é' },
    { signature: Buffer.alloc(63) },
  ];
  for (const members of bad) t.throws(() => encodeEnvelope({ ...envelope, ...members }), { code: 'DSSE_FORMAT' });
});

t.test('60,000 bytes pass in both directions, one more does not', async (t) => {
  const overhead = encodeEnvelope(envelopeOf('')).length;
  const largest = Math.floor((MAX_ENVELOPE_BYTES - overhead) / 4) * 3;
  const bytes = encodeEnvelope(envelopeOf(Buffer.alloc(largest)));
  t.ok(bytes.length > MAX_ENVELOPE_BYTES - 4 && bytes.length <= MAX_ENVELOPE_BYTES);
  t.equal(decodeEnvelope(bytes).payload.length, largest);
  t.throws(() => encodeEnvelope(envelopeOf(Buffer.alloc(largest + 3))), { code: 'DSSE_SIZE' });
  t.throws(() => decodeEnvelope(Buffer.alloc(MAX_ENVELOPE_BYTES + 1, 0x20)), { code: 'DSSE_SIZE' });
});

t.test('damage anywhere is refused before or by the signature', async () => {
  const bytes = Buffer.from(good);
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const damaged = Buffer.from(bytes);
      damaged[at] = damaged[at]! ^ mask;
      try {
        const envelope = decodeEnvelope(damaged);
        verifyEnvelope(envelope, key.publicKey);
        // The key id is a hint, not part of what is signed.
        return envelope.keyId !== key.fingerprint;
      } catch (error) {
        return ['DSSE_FORMAT', 'DSSE_SIGNATURE'].includes((error as { code: string }).code);
      }
    }),
    { numRuns: 1500 },
  );
});
