import { makeNonce, verifyRequest } from '@sitewarden/agent-proto/http-signature';
import { fingerprint, generateEd25519, privateKeyFromPem, publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { readWakePassword, readWakeReason, WAKE_LIMITS, wakePassword, wakeSigner } from '@sitewarden/agent-proto/wake';
import t from 'tap';

const key = generateEd25519();
const signer = wakeSigner(fingerprint(key.publicKey), privateKeyFromPem(key.privateKeyPem));
const passwordFor = (origin: string) => wakePassword(signer, { origin, createdS: 1000, nonce: makeNonce() });

const verdict = (password: string, authority: string, nowS = 1000) => {
  const headers = readWakePassword(Buffer.from(password));
  if (headers === undefined) return 'unread';
  const request = { method: 'GET', authority, path: '/mqtt', query: '', headers, body: new Uint8Array() };
  const result = verifyRequest(request, publicKeyFromRaw(key.publicKey), { nowS, maxSkewS: 300 });
  return result.ok ? 'ok' : result.code;
};

t.test('a password is the signature of a request for the wake address of one relay', async (t) => {
  const password = passwordFor('https://relay.example.org');
  t.equal(verdict(password, 'relay.example.org'), 'ok');
  t.equal(verdict(password, 'other.example.org'), 'SIGNATURE_INVALID');
  t.equal(verdict(password, 'relay.example.org', 1301), 'CLOCK_SKEW');
  t.ok(password.length < WAKE_LIMITS.maxPacketBytes / 2, `${password.length} characters leave room for the rest`);
});

t.test('what is not exactly the three headers is not read', async (t) => {
  const whole = JSON.parse(passwordFor('https://relay.example.org')) as Record<string, string>;
  const { signature: _signature, ...short } = whole;
  for (const value of [short, { ...whole, more: 'x' }, { ...whole, signature: 1 }, [], null, 'x']) {
    t.equal(readWakePassword(Buffer.from(JSON.stringify(value))), undefined, JSON.stringify(value));
  }
  t.equal(readWakePassword(Buffer.from('{')), undefined);
  t.equal(readWakePassword(Buffer.from(JSON.stringify({ ...whole, signature: 'x'.repeat(2000) }))), undefined);
});

t.test('an unknown reason is one to check in', async (t) => {
  t.equal(readWakeReason(Buffer.from('orders')), 'orders');
  t.equal(readWakeReason(Buffer.from('config')), 'config');
  t.equal(readWakeReason(Buffer.from('news of 2031')), 'config');
  t.equal(readWakeReason(Buffer.alloc(0)), 'config');
});
