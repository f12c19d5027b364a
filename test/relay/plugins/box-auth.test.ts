import { decodeEnvelope, verifyEnvelope } from '@sitewarden/agent-proto/dsse';
import { BOX_PATHS, compile, SignedTime } from '@sitewarden/agent-proto/http';
import { contentDigest, makeNonce, signRequest } from '@sitewarden/agent-proto/http-signature';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import t, { type Test } from 'tap';
import { seedPartner, seedSite, startTestRelay, testClock } from '../../helpers/relay.ts';

async function world(t: Test) {
  const clock = testClock();
  const relay = await startTestRelay((fn) => t.teardown(fn), { clock });
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin');
  const { box, applianceId } = await relay.claim(admin, siteId);
  return { relay, clock, box, applianceId, partnerId };
}

t.test('a signed request of a claimed box is let in', async (t) => {
  const { box } = await world(t);
  t.match(await box.send(BOX_PATHS.orders), { status: 200, body: { orders: [] } });
});

t.test('each fault of a signature has its own code', async (t) => {
  const { relay, box } = await world(t);
  const other = await relay.box();
  const cases: [string, (headers: Record<string, string>) => void][] = [
    [
      'SIGNATURE_MISSING',
      (headers) => {
        delete headers.signature;
        delete headers['signature-input'];
      },
    ],
    [
      'SIGNATURE_MALFORMED',
      (headers) => {
        headers.signature = 'sw=:AAAA:';
      },
    ],
    [
      'SIGNATURE_COMPONENTS',
      (headers) => {
        headers['signature-input'] = headers['signature-input']?.replace(' "@query"', '') ?? '';
      },
    ],
    [
      'SIGNATURE_INVALID',
      (headers) => {
        headers.signature = `sw=:${Buffer.alloc(64, 7).toString('base64')}:`;
      },
    ],
    [
      'DIGEST_MISMATCH',
      (headers) => {
        headers['content-digest'] = contentDigest(Buffer.from('something else'));
      },
    ],
  ];
  for (const [code, tamper] of cases) {
    t.match(await box.send(BOX_PATHS.orders, { tamper }), { status: 401, body: { code } }, code);
  }
  t.match(await other.send(BOX_PATHS.orders), { status: 401, body: { code: 'APPLIANCE_UNKNOWN' } });
});

t.test('a body changed on the way is noticed before anybody reads it', async (t) => {
  const { relay, box } = await world(t);
  const signed = signRequest({
    method: 'POST',
    url: `${relay.url}${BOX_PATHS.checkin}`,
    body: '{"counter":1}',
    keyId: box.fingerprint,
    privateKey: box.dikPrivate,
    createdS: Math.floor(Date.now() / 1000),
    nonce: makeNonce(),
  });
  const response = await fetch(`${relay.url}${BOX_PATHS.checkin}`, {
    method: 'POST',
    headers: { ...signed, 'content-type': 'application/json' },
    body: '{"counter":2}',
  });
  t.match(await response.json(), { code: 'DIGEST_MISMATCH' });
});

t.test('a signature made for another relay is worth nothing here', async (t) => {
  const { relay, box } = await world(t);
  const signed = signRequest({
    method: 'GET',
    url: `https://another-relay.example${BOX_PATHS.orders}`,
    keyId: box.fingerprint,
    privateKey: box.dikPrivate,
    createdS: Math.floor(Date.now() / 1000),
    nonce: makeNonce(),
  });
  const response = await fetch(`${relay.url}${BOX_PATHS.orders}`, { headers: { ...signed } });
  t.match(await response.json(), { code: 'SIGNATURE_INVALID' });
});

t.test('the same request sent twice is taken once', async (t) => {
  const { box } = await world(t);
  const nonce = makeNonce();
  const createdS = Math.floor(Date.now() / 1000);
  t.equal((await box.send(BOX_PATHS.orders, { nonce, createdS })).status, 200);
  t.match(await box.send(BOX_PATHS.orders, { nonce, createdS }), { status: 401, body: { code: 'NONCE_REPLAYED' } });
});

t.test('a wrong clock is told the time, signed over the nonce of its own request', async (t) => {
  const { relay, clock, box } = await world(t);
  const nonce = makeNonce();
  const createdS = Math.floor(clock.nowMs() / 1000) - 400 * 86_400;
  const answer = await box.send<{ data: { signedTime: string; offsetMs: number } }>(BOX_PATHS.orders, {
    nonce,
    createdS,
  });
  t.match(answer, { status: 401, body: { code: 'CLOCK_SKEW', data: { timeMs: Number } } });
  t.ok(answer.body.data.offsetMs < -399 * 86_400_000);
  const timeKey = relay.services.keys.published.time[0]?.publicKey ?? '';
  const payload = verifyEnvelope(decodeEnvelope(Buffer.from(answer.body.data.signedTime)), publicKeyFromRaw(timeKey));
  t.match(compile(SignedTime)(JSON.parse(Buffer.from(payload).toString())), {
    ok: true,
    value: { nonce, timeMs: clock.nowMs() },
  });
});

t.test('300 seconds of difference are fine in both directions and one more is not', async (t) => {
  const { clock, box } = await world(t);
  const nowS = Math.floor(clock.nowMs() / 1000);
  for (const [createdS, status] of [
    [nowS - 300, 200],
    [nowS + 300, 200],
    [nowS - 301, 401],
    [nowS + 301, 401],
  ] as const) {
    t.equal((await box.send(BOX_PATHS.orders, { createdS })).status, status, `${createdS - nowS} s`);
  }
});

t.test('a revoked box is refused from the next request on', async (t) => {
  const { relay, box, applianceId, partnerId } = await world(t);
  t.equal((await box.send(BOX_PATHS.orders)).status, 200);
  await relay.store.inTenant(partnerId, (trx) =>
    trx.updateTable('appliance').set({ state: 'revoked' }).where('id', '=', applianceId).execute(),
  );
  relay.services.boxes.forget(applianceId);
  t.match(await box.send(BOX_PATHS.orders), { status: 403, body: { code: 'APPLIANCE_REVOKED' } });
});
