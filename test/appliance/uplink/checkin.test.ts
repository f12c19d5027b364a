import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOX_PATHS, type CheckinRequest } from '@sitewarden/agent-proto/http';
import { parseRetryAfter } from '@sitewarden/kit/backoff';
import fc from 'fast-check';
import type { Test } from 'tap';
import t from 'tap';
import { createInstallers } from '../../../appliance/installers/index.ts';
import { agents, changes, evidence, relayOrders, state } from '../../../appliance/store/index.ts';
import { glanceAtChain, openChainFile } from '../../../appliance/uplink/chain-file.ts';
import { createCheckin } from '../../../appliance/uplink/checkin.ts';
import { createUplink, type Uplink } from '../../../appliance/uplink/index.ts';
import { nextCheckinDelayMs, retryCheckinDelayMs } from '../../../appliance/uplink/schedule.ts';
import { eventually } from '../../helpers/appliance-context.ts';
import type { Seen } from '../helpers/small-relay.ts';
import { claimWith, type UplinkFixture, uplinkFixture } from '../helpers/uplink-fixture.ts';

const host = async () => ({
  facts: { cpu_percent: 3, 'Not A Name': 1 },
  disk: { totalBytes: 10, freeBytes: 5 },
  isClockSynced: false,
});
const lanes = () => {
  const empty = { depth: 0, oldestAgeMs: 0 };
  return { evidence: empty, receipts: empty, incidents: { depth: 2, oldestAgeMs: 9 }, telemetry: empty };
};

async function setUp(t: Test, options: { clockOffsetMs?: number } = {}) {
  const fixture = await uplinkFixture(t, options);
  claimWith(fixture);
  const { ctx, client, identity } = fixture;
  const answers: unknown[] = [];
  let refused = 0;
  const open = (): Uplink => {
    const uplink = createUplink({
      ctx,
      client,
      dikFingerprint: identity.dik.fingerprint,
      installers: createInstallers(ctx.config.installers),
      host,
      lanes,
      onAnswer: (answer) => answers.push(answer),
      onRefused: () => {
        refused += 1;
      },
    });
    t.teardown(() => uplink.stop());
    return uplink;
  };
  return { ...fixture, open, answers, refusals: () => refused };
}

const SITE = ({ relay }: UplinkFixture) => ({ applianceId: relay.box.applianceId, epoch: 1 });
/** As a new process would begin. */
const checkinOf = ({ ctx, client }: UplinkFixture) =>
  createCheckin({ ctx, client, host, lanes, chain: openChainFile(ctx.config.dataDir, ctx.clock) });
const chainOf = (parts: UplinkFixture) => openChainFile(parts.ctx.config.dataDir, parts.ctx.clock).load(SITE(parts));

const bodies = ({ relay }: UplinkFixture) =>
  relay.on(BOX_PATHS.checkin).map(({ body }) => JSON.parse(body.toString()) as CheckinRequest);

t.test('a check-in says how the box stands and carries the chain on', async (t) => {
  const parts = await setUp(t);
  const { ctx } = parts;
  agents.insert(ctx.db, {
    id: `agt_${'a'.repeat(25)}a`,
    host: { hostname: 'a', osFamily: 'linux', osVersion: '', agentVersion: '' },
    tier: 0,
    enrolledAtMs: 1,
  });
  const checkin = checkinOf(parts);
  await checkin.once(SITE(parts));
  await checkin.once(SITE(parts));
  const [first, second] = bodies(parts);
  t.match(first, {
    counter: 1,
    previousToken: null,
    telemetry: { cpu_percent: 3 },
    lanes: { incidents: { depth: 2, oldestAgeMs: 9 } },
    agents: { total: 1, connected: 0, failing: 0 },
    disk: { totalBytes: 10, freeBytes: 5 },
    evidence: { epoch: 1, size: 0, cosignedSize: 0 },
  });
  t.strictSame(Object.keys(first!.telemetry), ['cpu_percent'], 'a sensor with an odd name is left out');
  t.match(second, { counter: 2, previousToken: /^T{16}000001$/ });
  t.match(await chainOf(parts), { counter: 2, pendingBody: null, isQuarantined: false });
});

t.test('after a lost answer the very same words are said again, also by a new process', async (t) => {
  const parts = await setUp(t);
  const { relay } = parts;
  const route = BOX_PATHS.checkin;
  await checkinOf(parts).once(SITE(parts));
  relay.override.set(route, () => 'cut');
  await t.rejects(checkinOf(parts).once(SITE(parts)), { code: 'RELAY_UNREACHABLE' });
  relay.override.delete(route);
  const { isRepeat, answer } = await checkinOf(parts).once(SITE(parts));
  t.equal(isRepeat, true);
  t.equal(answer.state, 'active');
  const sent = relay
    .on(route)
    .slice(1)
    .map(({ body }) => body.toString());
  t.ok(sent.length >= 2);
  t.equal(new Set(sent).size, 1, 'byte for byte');
  t.equal((await checkinOf(parts).once(SITE(parts))).isRepeat, false);
});

t.test('a check-in that never left is made anew', async (t) => {
  const parts = await setUp(t);
  const { relay } = parts;
  const { url } = relay;
  await relay.close();
  await t.rejects(checkinOf(parts).once(SITE(parts)), { code: 'RELAY_UNREACHABLE' });
  t.equal((await chainOf(parts)).pendingBody, null);
  t.ok(url);
});

t.test('a wrong clock is corrected by the signed time of the refusal, without touching the clock', async (t) => {
  const parts = await setUp(t, { clockOffsetMs: 400 * 86_400_000 });
  const { client, relay } = parts;
  const before = Date.now();
  const { answer } = await checkinOf(parts).once(SITE(parts));
  t.equal(answer.state, 'active');
  t.ok(Math.abs(client.clock.nowMs() - relay.nowMs()) < 5000, 'requests are signed with the time of the relay');
  t.equal(client.clock.quality(), 'relay');
  t.ok(Date.now() - before < 60_000);
  t.equal(relay.on(BOX_PATHS.checkin).length, 2, 'refused once');
});

t.test('signed time of somebody else is not believed', async (t) => {
  const parts = await setUp(t, { clockOffsetMs: 400 * 86_400_000 });
  const { ctx, client, relay } = parts;
  const other = await uplinkFixture(t);
  relay.override.set(BOX_PATHS.checkin, () => ({ json: {} }));
  const forged = other.relay.envelope('time', 'application/vnd.sitewarden.time.v1+json', {
    timeMs: 1,
    nonce: 'A'.repeat(22),
  });
  t.equal(client.takeSignedTime(forged, { nonce: 'A'.repeat(22), roundTripMs: 0 }), false);
  const stale = relay.envelope('time', 'application/vnd.sitewarden.time.v1+json', { timeMs: 1, nonce: 'B'.repeat(22) });
  t.equal(client.takeSignedTime(stale, { nonce: 'A'.repeat(22), roundTripMs: 0 }), false, 'over another nonce');
  t.equal(ctx.clock.nowMs() > 1, true);
});

t.test('a newer configuration is fetched, verified and put in force', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  relay.config = {
    generation: 3,
    envelope: relay.siteConfig({ generation: 3, agentTier: 2, requiredServices: ['cron'] }),
  };
  let applied = 0;
  ctx.signals.on('config', () => {
    applied += 1;
  });
  parts.open().start();
  await eventually('it is in force', () => (state.siteConfig(ctx.db)?.generation === 3 ? true : undefined));
  t.match(state.siteConfig(ctx.db), { agentTier: 2, requiredServices: ['cron'] });
  t.equal(applied, 1);
});

t.test("another box's, an older or a forged configuration changes nothing and is shown", async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  const other = await uplinkFixture(t);
  const bad = [
    relay.siteConfig({ generation: 9, applianceId: other.relay.box.applianceId }),
    relay.siteConfig({ generation: 9, dikFingerprint: other.identity.dik.fingerprint }),
    relay.siteConfig({ generation: 9, epoch: 2 }),
    other.relay.siteConfig({ generation: 9, applianceId: relay.box.applianceId }),
  ];
  for (const envelope of bad) {
    relay.config = { generation: 9, envelope };
    const uplink = parts.open();
    uplink.start();
    await eventually('it is refused', () =>
      uplink.snapshot().lastError?.code === 'CONFIG_REFUSED' ? true : undefined,
    );
    await uplink.stop();
    t.equal(state.siteConfig(ctx.db), undefined);
  }
});

t.test('an unwelcome box says so, phones seldom, and comes back by itself', async (t) => {
  const parts = await setUp(t);
  const { relay } = parts;
  relay.override.set(BOX_PATHS.checkin, () => ({ error: 'APPLIANCE_REVOKED' }));
  const uplink = parts.open();
  await uplink.start();
  await eventually('it is told', () => (uplink.snapshot().state === 'stopped' ? true : undefined));
  const { lastError, nextCheckinAtMs } = uplink.snapshot();
  t.equal(lastError?.code, 'APPLIANCE_REVOKED');
  t.match(lastError?.message, /Ask the MSP/);
  t.ok(nextCheckinAtMs! - Date.now() > 14 * 60_000, 'a quarter of an hour');
  t.equal(parts.refusals(), 1);
  relay.override.delete(BOX_PATHS.checkin);
  uplink.checkinNow();
  await eventually('it is welcome', () => (uplink.snapshot().state === 'ok' ? true : undefined));
  t.equal(uplink.snapshot().lastError, null);
});

t.test('a quarantined box is told, and takes no orders', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  // A copy of this box has checked in already.
  await checkinOf(parts).once(SITE(parts));
  relay.orders = [relay.order({ seq: 1 })];
  const copy = await chainOf(parts);
  await checkinOf(parts).once(SITE(parts));
  await checkinOf(parts).once(SITE(parts));
  await openChainFile(ctx.config.dataDir, ctx.clock).save(copy);
  const uplink = parts.open();
  await uplink.start();
  await eventually('it is told', () => (uplink.snapshot().isQuarantined ? true : undefined));
  t.equal(relay.on(BOX_PATHS.orders).length, 0);
});

t.test(
  'orders and settings are asked for with the newest token, and a refused one leads to a check-in at once',
  async (t) => {
    const parts = await setUp(t);
    const { ctx, relay } = parts;
    const uplink = parts.open();
    await uplink.start();
    await eventually('it checked in', () => uplink.snapshot().lastCheckinAtMs ?? undefined);
    const tokenIn = ({ headers }: Seen) => headers['sitewarden-checkin-token'];
    await uplink.followWake('orders');
    const { token } = await chainOf(parts);
    t.strictSame(relay.on(BOX_PATHS.orders).map(tokenIn), [token]);
    t.match(
      relay.on(BOX_PATHS.orders)[0]?.headers['signature-input'],
      /"sitewarden-checkin-token"/,
      'and it is signed',
    );

    // The relay was told by somebody that knows the chain: two check-ins ahead of this box.
    relay.advanceChain(2);
    relay.orders = [relay.order({ seq: 1 })];
    const before = relay.on(BOX_PATHS.checkin).length;
    await uplink.followWake('orders');
    await eventually('it checked in at once', () => (relay.on(BOX_PATHS.checkin).length > before ? true : undefined));
    await eventually('a copy is found out so', () => (uplink.snapshot().isQuarantined ? true : undefined));
    t.equal(relayOrders.maxSeq(ctx.db), 0, 'and nothing was given');
  },
);

t.test('a box whose token is refused checks in, and then has what it asked for', async (t) => {
  const parts = await setUp(t);
  const { ctx, relay } = parts;
  const uplink = parts.open();
  await uplink.start();
  await eventually('it checked in', () => uplink.snapshot().lastCheckinAtMs ?? undefined);
  relay.isChainOpen = true;
  relay.orders = [relay.order({ seq: 1 })];
  const before = relay.on(BOX_PATHS.checkin).length;
  await uplink.followWake('orders');
  await eventually('the order', () => (relayOrders.maxSeq(ctx.db) === 1 ? true : undefined));
  t.equal(relay.on(BOX_PATHS.checkin).length, before + 1, 'one check-in, long before the next one is due');
});

/** What a disk may make of a file, and what a person may. */
const DAMAGES: readonly ((text: string) => string)[] = [
  () => '',
  () => 'garbage\0',
  (text) => text.slice(0, 40),
  (text) => text.replace(/"counter":\d+/, '"counter":"abc"'),
  (text) => text.replace(/"counter":\d+/, '"counter":99999'),
  () => '{"applianceId":null}',
];

function damage({ ctx }: UplinkFixture, names: readonly string[], how: (text: string) => string): void {
  for (const name of names) {
    const path = join(ctx.config.dataDir, name);
    writeFileSync(path, how(readFileSync(path, 'utf8')));
  }
}

t.test('one damaged copy of the chain costs nothing', async (t) => {
  const parts = await setUp(t);
  await checkinOf(parts).once(SITE(parts));
  for (const name of ['uplink.json', 'uplink-copy.json']) {
    for (const how of DAMAGES) {
      damage(parts, [name], how);
      t.equal(await glanceAtChain(parts.ctx.config.dataDir), 'one_copy');
      const { answer } = await checkinOf(parts).once(SITE(parts));
      t.equal(answer.state, 'active');
      t.equal(await glanceAtChain(parts.ctx.config.dataDir), 'good');
    }
  }
  t.equal(bodies(parts).at(-1)?.counter, 1 + 2 * DAMAGES.length);
});

t.test(
  'a chain that is lost in both copies is noted, told to the relay and to people, until the box is released',
  async (t) => {
    const parts = await setUp(t);
    const { ctx } = parts;
    await checkinOf(parts).once(SITE(parts));
    for (const how of DAMAGES) {
      damage(parts, ['uplink.json', 'uplink-copy.json'], how);
      t.equal(await glanceAtChain(ctx.config.dataDir), 'lost');
      const uplink = parts.open();
      await uplink.start();
      await eventually('it is told', () => (uplink.snapshot().isQuarantined ? true : undefined));
      t.type(uplink.snapshot().chainLostAtMs, 'number');
      await uplink.stop();
      t.match(bodies(parts).at(-1), { counter: 1, previousToken: null, telemetry: { checkin_chain_lost: true } });
    }
    const losses = changes.since(ctx.db, 0, { limit: 100 }).filter(({ kind }) => kind === 'loss');
    t.equal(losses.length, DAMAGES.length);
    t.match(losses[0], { refId: 'checkin_chain', body: { code: 'CHECKIN_CHAIN_LOST', count: null } });

    t.type((await chainOf(parts)).lostAtMs, 'number', 'also after a restart');
    t.equal(await glanceAtChain(ctx.config.dataDir), 'lost');
    // The relay has let it go on from the answer of before.
    await checkinOf(parts).once(SITE(parts));
    t.match(await chainOf(parts), { isQuarantined: false, lostAtMs: null });
    t.equal(await glanceAtChain(ctx.config.dataDir), 'good');
  },
);

t.test('a chain that is gone is lost once the relay has answered this box, and a fresh one before', async (t) => {
  const parts = await setUp(t);
  const { ctx } = parts;
  const { dataDir } = ctx.config;
  const losses = () => changes.since(ctx.db, 0, { limit: 100 }).filter(({ kind }) => kind === 'loss').length;
  // The claim is cosigned before the first check-in: whoever is killed in between has lost nothing.
  evidence.insertCheckpoint(ctx.db, { size: 1, note: 'n', atMs: 1 });
  evidence.setCosigned(ctx.db, 1, 'n');
  const first = parts.open();
  await first.start();
  await eventually('the first check-in', () => (first.snapshot().state === 'ok' ? true : undefined));
  await first.stop();
  t.equal(losses(), 0);
  t.equal(await glanceAtChain(dataDir), 'good');

  for (const name of ['uplink.json', 'uplink-copy.json']) rmSync(join(dataDir, name));
  const uplink = parts.open();
  await uplink.start();
  await eventually('it is told', () => (uplink.snapshot().isQuarantined ? true : undefined));
  t.type(uplink.snapshot().chainLostAtMs, 'number');
  await uplink.stop();
  t.match(bodies(parts).at(-1), { previousToken: null, telemetry: { checkin_chain_lost: true } });
  t.equal(losses(), 1);
  t.equal(await glanceAtChain(dataDir), 'lost');
  for (const name of ['uplink.json', 'uplink-copy.json']) rmSync(join(dataDir, name));
  t.equal(await glanceAtChain(dataDir, true), 'lost', 'told of beside a box that does not run, too');
  t.equal(await glanceAtChain(dataDir, false), 'good', 'nothing is missed of a box nobody has answered');
});

t.test('before the claim nobody is phoned', async (t) => {
  const fixture = await uplinkFixture(t);
  const { ctx, client, identity, relay } = fixture;
  const uplink = createUplink({
    ctx,
    client,
    dikFingerprint: identity.dik.fingerprint,
    installers: createInstallers(ctx.config.installers),
    host,
    lanes,
    onAnswer() {},
    onRefused() {},
  });
  t.teardown(() => uplink.stop());
  await uplink.start();
  t.equal(uplink.snapshot().state, 'idle');
  claimWith(fixture);
  ctx.signals.emit('claimed');
  await eventually('then it is', () => (uplink.snapshot().state === 'ok' ? true : undefined));
  t.equal(relay.on(BOX_PATHS.checkin).length, 1);
});

t.test('the wish of the relay wins over the configured interval; the contract default is none', async (t) => {
  const at = (relayMs: number, random: number) =>
    nextCheckinDelayMs({ relayMs, configuredMs: 5000, random: () => random });
  t.equal(at(60_000, 0.5), 5000);
  t.equal(at(300_000, 0.5), 300_000);
  t.equal(at(60_000, 0), 4500);
  t.equal(at(60_000, 1), 5500);
});

t.test('retries wait as long as the kind of failure asks', async (t) => {
  const at = (kind: Parameters<typeof retryCheckinDelayMs>[0]['kind'], attempt: number, retryAfterMs?: number) =>
    retryCheckinDelayMs({ kind, attempt, retryAfterMs, configuredMs: 60_000, random: () => 0.5 });
  t.equal(at('ambiguous', 0), 500);
  t.equal(at('ambiguous', 50), 30_000, 'jitter after the cap');
  t.equal(at('busy', 0, 120_000), 120_500);
  t.ok(at('unauthorized', 0) >= 15 * 60_000);
  t.equal(at('permanent', 0), 60_000);
});

t.test('whatever the relay says, the next check-in is never further away than an hour and its jitter', async () => {
  const kinds = ['unsent', 'ambiguous', 'busy', 'clock', 'unauthorized', 'permanent'] as const;
  fc.assert(
    fc.property(
      fc.record({
        kind: fc.constantFrom(...kinds),
        attempt: fc.nat(),
        retryAfter: fc.option(
          fc.oneof(fc.nat().map(String), fc.constant('Sun, 22 Nov 2099 11:00:00 GMT'), fc.string()),
        ),
        configuredMs: fc.integer({ min: 1000, max: 3_600_000 }),
        random: fc.double({ min: 0, max: 0.999, noNaN: true }),
      }),
      ({ kind, attempt, retryAfter, configuredMs, random }) => {
        const retryAfterMs = parseRetryAfter(retryAfter, 1_800_000_000_000);
        const delayMs = retryCheckinDelayMs({ kind, attempt, retryAfterMs, configuredMs, random: () => random });
        return delayMs >= 0 && delayMs >= (retryAfterMs ?? 0) && delayMs <= 1.1 * 3_600_000;
      },
    ),
  );
});
