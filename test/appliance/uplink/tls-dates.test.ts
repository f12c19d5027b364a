import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import type { Test } from 'tap';
import t from 'tap';
import { loadX509 } from '../../../appliance/identity/x509.ts';
import { type Chain, makeChain } from '../../helpers/certificates.ts';
import { claimWith, uplinkFixture } from '../helpers/uplink-fixture.ts';

const DAY_MS = 86_400_000;

const OFFSET_MS = -400 * DAY_MS;
const relayNowMs = () => Date.now() + OFFSET_MS;

async function setUp(t: Test, chain: Chain, claimed = true) {
  const fixture = await uplinkFixture(t, { clockOffsetMs: OFFSET_MS, tls: chain });
  if (claimed) claimWith(fixture);
  const send = () => fixture.client.send({ method: 'GET', path: BOX_PATHS.orders });
  return { ...fixture, send };
}

t.test('a box whose clock is 400 days ahead asks for the time and judges certificates by it', async (t) => {
  const { send, client, relay } = await setUp(t, await makeChain({ aroundMs: relayNowMs() }));
  t.equal((await send()).status, 200);
  t.ok(Math.abs(client.clock.nowMs() - relayNowMs()) < 10_000);
  t.equal((await send()).status, 200);
  t.strictSame(
    relay.seen.map(({ path, body }) => `${path} ${body.length}`).slice(0, 1),
    [`${BOX_PATHS.orders} 0`],
    'all the lenient connection saw',
  );
});

t.test('a box that knows no relay keys yet takes them under the pinned root first', async (t) => {
  const { send, relay } = await setUp(t, await makeChain({ aroundMs: relayNowMs() }), false);
  t.equal((await send()).status, 200);
  t.equal(relay.seen[0]?.path, BOX_PATHS.relayKeys);
});

t.test('a certificate that is out of date by the time of the relay too stays refused', async (t) => {
  const { send } = await setUp(t, await makeChain({ aroundMs: relayNowMs() - 100 * DAY_MS }));
  await t.rejects(send(), { code: 'RELAY_TLS', message: /CERT_HAS_EXPIRED/ });
});

t.test('with a date as excuse no other fault gets through', async (t) => {
  const good = await makeChain({ aroundMs: relayNowMs() });
  const x509 = await loadX509();
  const bad: [string, Chain][] = [
    ['another root', { ...(await makeChain({ aroundMs: relayNowMs() })), ca: good.ca }],
    ['another address', await makeChain({ aroundMs: relayNowMs(), address: '127.0.0.2' })],
    ['no server certificate', await makeChain({ aroundMs: relayNowMs(), usage: x509.ExtendedKeyUsage.clientAuth })],
  ];
  for (const [what, chain] of bad) {
    const { send, relay } = await setUp(t, chain);
    await t.rejects(send(), { code: 'RELAY_TLS' }, what);
    t.ok(
      relay.seen.every(({ path, body }) => path === BOX_PATHS.orders && body.length === 0),
      `${what}: nothing but the question for the time was sent`,
    );
    t.ok(relay.seen.length <= 1, what);
  }
});

t.test('where clock and certificate agree nothing is tolerated', async (t) => {
  const chain = await makeChain({ aroundMs: Date.now() });
  const fixture = await uplinkFixture(t, { tls: chain });
  claimWith(fixture);
  t.equal((await fixture.client.send({ method: 'GET', path: BOX_PATHS.orders })).status, 200);
  t.equal(fixture.relay.seen.length, 1);
  const foreign = await uplinkFixture(t, { tls: { ...(await makeChain({ aroundMs: Date.now() })), ca: chain.ca } });
  claimWith(foreign);
  await t.rejects(foreign.client.send({ method: 'GET', path: BOX_PATHS.orders }), { code: 'RELAY_TLS' });
  t.strictSame(foreign.relay.seen, []);
});

t.test('a claimed box takes the keys that were replaced while it was away, whatever date its clock says', async (t) => {
  const { send, relay, client } = await setUp(t, await makeChain({ aroundMs: relayNowMs() }));
  relay.replaceKeys();
  t.equal((await send()).status, 200);
  t.equal(relay.on(BOX_PATHS.relayKeys).length, 1);
  t.ok(Math.abs(client.clock.nowMs() - relayNowMs()) < 10_000);
});
