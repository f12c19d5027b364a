import { createHash, generateKeyPairSync } from 'node:crypto';
import {
  decodeBase64,
  decodeBase64Url,
  fingerprint,
  generateEd25519,
  privateKeyFromPem,
  publicKeyFromRaw,
  rawPublicKey,
  sign,
  signAsync,
  verify,
  verifyAsync,
} from '@sitewarden/agent-proto/keys';
import t from 'tap';
import vectors from '../../agent-proto/fixtures/vectors/ed25519.json' with { type: 'json' };
import points from '../../agent-proto/fixtures/vectors/ed25519-points.json' with { type: 'json' };
import { privateKeyFromSeed, testKey } from './keys-fixture.ts';

const hex = (text: string) => Buffer.from(text, 'hex');

/** L, the order of the group S lives in. */
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

function readLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function writeLittleEndian(value: bigint): Buffer {
  return hex(value.toString(16).padStart(64, '0')).reverse();
}

/** The signature with S moved by a multiple of L: the same equation, another encoding. */
function shiftS(signature: Uint8Array, times: bigint): Buffer {
  const s = readLittleEndian(signature.subarray(32)) + times * GROUP_ORDER;
  return Buffer.concat([signature.subarray(0, 32), writeLittleEndian(s)]);
}

for (const vector of vectors.signatures) {
  t.test(`RFC 8032 ${vector.name} signs and verifies, at once and on the thread pool`, async (t) => {
    const privateKey = privateKeyFromSeed(vector.seed);
    const raw = hex(vector.publicKey).toString('base64url');
    const message = hex(vector.message);
    const signature = hex(vector.signature);
    t.equal(rawPublicKey(privateKey), raw);
    t.same(sign(privateKey, message), signature);
    t.same(await signAsync(privateKey, message), signature);
    const publicKey = publicKeyFromRaw(raw);
    t.equal(rawPublicKey(publicKey), raw);
    t.equal(verify(publicKey, message, signature), true);
    t.equal(await verifyAsync(publicKey, message, signature), true);
  });

  t.test(`RFC 8032 ${vector.name} is refused with a bit flipped anywhere or S not reduced`, async (t) => {
    const publicKey = publicKeyFromRaw(hex(vector.publicKey).toString('base64url'));
    const message = hex(vector.message);
    const signature = hex(vector.signature);
    for (let bit = 0; bit < 512; bit += 1) {
      const flipped = Buffer.from(signature);
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      if (verify(publicKey, message, flipped)) t.fail(`bit ${bit} does not matter`);
    }
    for (const times of [1n, 2n, 7n]) {
      t.equal(verify(publicKey, message, shiftS(signature, times)), false, `S + ${times}L`);
      t.equal(await verifyAsync(publicKey, message, shiftS(signature, times)), false, `S + ${times}L, async`);
    }
    t.equal(verify(publicKey, Buffer.concat([message, Buffer.from([0])]), signature), false, 'a longer message');
  });
}

t.test('a signature of another length than 64 bytes is refused, never thrown at', async (t) => {
  const { privateKey, publicKey } = testKey(1);
  const message = Buffer.from('message');
  const signature = sign(privateKey, message);
  const others = [
    signature.subarray(0, 0),
    signature.subarray(0, 63),
    Buffer.concat([signature, Buffer.from([0])]),
    Buffer.concat([signature, signature]),
  ];
  for (const other of others) {
    t.equal(verify(publicKey, message, other), false, `${other.length} bytes`);
    t.equal(await verifyAsync(publicKey, message, other), false, `${other.length} bytes, async`);
  }
});

t.test('a public key of small order or with a second encoding is refused', async (t) => {
  t.ok(points.refusedPublicKeys.length > 14);
  for (const { point, encoding } of points.refusedPublicKeys) {
    t.throws(() => publicKeyFromRaw(hex(encoding).toString('base64url')), { code: 'KEY_FORMAT' }, point);
    t.throws(() => fingerprint(hex(encoding).toString('base64url')), { code: 'KEY_FORMAT' }, point);
  }
});

t.test('the largest canonical y below the field prime is not mistaken for a second encoding', async (t) => {
  const encoding = hex(`eb${'ff'.repeat(30)}7f`);
  t.doesNotThrow(() => publicKeyFromRaw(encoding.toString('base64url')));
});

t.test('a public key is 43 characters of canonical base64url and nothing else', async (t) => {
  const { raw } = testKey(2);
  const lastCharacter = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(
    raw.at(-1) as string,
  );
  const looseBits = `${raw.slice(0, -1)}${'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[lastCharacter + 1]}`;
  const bad: unknown[] = ['', raw.slice(1), `${raw}A`, `${raw}=`, ` ${raw.slice(1)}`, `+${raw.slice(1)}`, looseBits];
  for (const text of [...bad, undefined, null, 43, hex('00')]) {
    t.throws(() => publicKeyFromRaw(text as string), { code: 'KEY_FORMAT' }, String(text));
  }
});

t.test('a fingerprint is base64url of the SHA-256 of the raw key', async (t) => {
  const { raw } = testKey(3);
  const expected = createHash('sha256').update(Buffer.from(raw, 'base64url')).digest('base64url');
  t.equal(fingerprint(raw), expected);
  t.equal(expected.length, 43);
});

t.test('a generated pair signs for itself and for nobody else', async (t) => {
  const pair = generateEd25519();
  const other = generateEd25519();
  const message = Buffer.from('hello');
  const signature = sign(privateKeyFromPem(pair.privateKeyPem), message);
  t.equal(rawPublicKey(privateKeyFromPem(pair.privateKeyPem)), pair.publicKey);
  t.equal(verify(publicKeyFromRaw(pair.publicKey), message, signature), true);
  t.equal(verify(publicKeyFromRaw(other.publicKey), message, signature), false);
});

t.test('keys of other kinds and broken PEM are refused without quoting them', async (t) => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = ec.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  t.throws(() => privateKeyFromPem(pem), { code: 'KEY_FORMAT' });
  t.throws(() => rawPublicKey(ec.publicKey), { code: 'KEY_FORMAT' });
  const secret = 'c2VjcmV0LXNlY3JldA';
  try {
    privateKeyFromPem(`-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`);
    t.fail('accepted');
  } catch (error) {
    t.match(error, { code: 'KEY_FORMAT' });
    t.notMatch(String((error as Error).stack), secret);
  }
});

t.test('strict base64 takes the one encoding of some bytes only', async (t) => {
  t.same(decodeBase64('AA=='), Buffer.from([0]));
  t.same(decodeBase64(''), Buffer.alloc(0));
  for (const text of ['AA', 'AB==', 'AA==\n', ' AA==', 'A===', '-_==', 'AA==AA=='])
    t.equal(decodeBase64(text), undefined, text);
  t.same(decodeBase64Url('_w'), Buffer.from([255]));
  for (const text of ['_w==', '_x', '/w', '_w\n', '_']) t.equal(decodeBase64Url(text), undefined, text);
});
