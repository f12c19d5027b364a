import { BOX_PATHS, PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import type { Test } from 'tap';
import t from 'tap';
import { state } from '../../../appliance/store/index.ts';
import { claimWith, uplinkFixture } from '../helpers/uplink-fixture.ts';

const MINUTE_MS = 60_000;
const OFFSETS_MS = [-60 * MINUTE_MS, -10 * MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS];

/** A box whose clock is off, over plain HTTP: no certificate says so. */
async function setUp(t: Test, { offsetMs, claimed }: { offsetMs: number; claimed: boolean }) {
  const fixture = await uplinkFixture(t, { clockOffsetMs: -offsetMs });
  if (claimed) claimWith(fixture);
  const { client, relay } = fixture;
  const send = () => client.send({ method: 'GET', path: BOX_PATHS.orders });
  const paths = () => relay.seen.map(({ path }) => path);
  return { ...fixture, send, paths };
}

const { orders, relayKeys } = BOX_PATHS;

t.test('a fresh box whose clock is off fetches the keys its time is verified with', async (t) => {
  for (const offsetMs of OFFSETS_MS) {
    const { send, client, relay, paths, ctx } = await setUp(t, { offsetMs, claimed: false });
    t.equal((await send()).status, 200, `${offsetMs} ms`);
    t.ok(Math.abs(client.clock.nowMs() - relay.nowMs()) < 10_000);
    t.strictSame(paths(), [orders, relayKeys, orders]);
    t.equal(state.relayKeys(ctx.db)?.generation, 1);
    await send();
    t.equal(paths().length, 4, 'nothing is asked twice');
  }
});

t.test('a claimed box whose clock is off needs no keys anew, until they were replaced while it was away', async (t) => {
  for (const offsetMs of OFFSETS_MS) {
    const known = await setUp(t, { offsetMs, claimed: true });
    t.equal((await known.send()).status, 200, `${offsetMs} ms`);
    t.strictSame(known.paths(), [orders, orders]);

    const away = await setUp(t, { offsetMs, claimed: true });
    away.relay.replaceKeys();
    t.equal((await away.send()).status, 200, `${offsetMs} ms, keys replaced`);
    t.strictSame(away.paths(), [orders, relayKeys, orders]);
    t.equal(state.relayKeys(away.ctx.db)?.generation, 2);
    t.ok(Math.abs(away.client.clock.nowMs() - away.relay.nowMs()) < 10_000);
  }
});

t.test('time that no key under the pinned root signed is never taken, and asked for once a failure', async (t) => {
  const offsetMs = 60 * MINUTE_MS;
  const other = await uplinkFixture(t, {});
  const { send, client, relay, paths } = await setUp(t, { offsetMs, claimed: false });
  relay.override.set(relayKeys, () => ({ json: { relayKeys: other.relay.keysEnvelope } }));
  for (const times of [1, 2]) {
    await t.rejects(send(), { code: 'CLOCK_SKEW' });
    t.strictSame(paths(), Array(times).fill([orders, relayKeys]).flat());
  }
  t.equal(client.clock.trustedNowMs(), undefined);
});

t.test('an older list of keys does not bring a withdrawn time key back', async (t) => {
  const { send, client, relay, ctx } = await setUp(t, { offsetMs: 60 * MINUTE_MS, claimed: true });
  const host = relay.host;
  const lists = (await uplinkFixture(t, {})).relay.keys;
  const keys = { ...lists, host, generation: 5 };
  const envelope = relay.envelope('root', PAYLOAD_TYPES.relayKeys, keys);
  state.set(ctx.db, 'relay_keys', { value: { keys, envelope }, atMs: 1 });
  await t.rejects(send(), { code: 'CLOCK_SKEW' });
  t.equal(state.relayKeys(ctx.db)?.generation, 5);
  t.equal(client.clock.trustedNowMs(), undefined);
});
