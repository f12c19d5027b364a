import {
  BOX_PATHS,
  confirmationNumber,
  DOCTOR_STEPS,
  nonceCommitment,
  type ProvisionAnswer,
  type ProvisionGrant,
  type ProvisionState,
} from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import type { Test } from 'tap';
import t from 'tap';
import { type Claim, createClaim } from '../../../appliance/claim/index.ts';
import { createEvidence } from '../../../appliance/evidence/index.ts';
import { changes, evidence, state } from '../../../appliance/store/index.ts';
import { eventually } from '../../helpers/appliance-context.ts';
import { SITE_ID } from '../helpers/small-relay.ts';
import { type UplinkFixture, uplinkFixture } from '../helpers/uplink-fixture.ts';

const NONCE = `${'R'.repeat(21)}A`;

interface Desk extends UplinkFixture {
  readonly claim: Claim;
  /** What the relay says of the session. */
  stand: { state: ProvisionState; grant?: ProvisionGrant; pollAfterMs?: number };
  grant(change?: Partial<ProvisionGrant>): ProvisionGrant;
  acks: unknown[];
  boxNonces: string[];
}

/** The claim routes of a relay, as CLAIM/1 says. */
async function setUp(
  t: Test,
  over: Pick<Parameters<typeof createClaim>[0], 'left' | 'onMoveOver'> = {},
): Promise<Desk> {
  const fixture = await uplinkFixture(t);
  const { ctx, identity, client, relay } = fixture;
  const keys = { dik: identity.dik.publicKey, evk: identity.evk.publicKey, seal: identity.seal.publicKey };
  const session = newId('ps');
  let commitment: string | undefined;
  const desk: Desk = {
    ...fixture,
    claim: createClaim({ ctx, identity, client, random: () => 0, ...over }),
    stand: { state: 'started' },
    acks: [],
    boxNonces: [],
    grant: (change = {}) => ({
      applianceId: relay.box.applianceId,
      siteId: SITE_ID,
      siteName: 'Praxis',
      partnerName: 'MSP',
      epoch: 1,
      claimedBy: 'Ada',
      claimedAtMs: 1,
      codeId: 'pc_1',
      config: relay.siteConfig(),
      relayKeys: relay.keysEnvelope,
      ...change,
    }),
  };
  const answer = (boxNonce: string): ProvisionAnswer => {
    desk.boxNonces.push(boxNonce);
    const number = confirmationNumber(keys, boxNonce, NONCE);
    const { state: stands, grant, pollAfterMs = 10 } = desk.stand;
    return { session, state: stands, relayNonce: NONCE, number, pollAfterMs, ...(grant ? { grant } : {}) };
  };
  relay.override.set(BOX_PATHS.provisionStart, ({ body }) => {
    commitment = JSON.parse(body.toString()).commitment;
    const claimUrl = `${relay.url}/claim#v1.${'S'.repeat(22)}.${identity.dik.fingerprint}`;
    const expiresAtMs = relay.nowMs() + 600_000;
    const { keysEnvelope: relayKeys } = relay;
    return { json: { session, relayNonce: NONCE, expiresAtMs, pollAfterMs: 10, claimUrl, relayKeys }, status: 201 };
  });
  relay.override.set(BOX_PATHS.provisionStatus, ({ body }) => {
    const { boxNonce } = JSON.parse(body.toString());
    if (commitment !== undefined && nonceCommitment(boxNonce) !== commitment) return { error: 'COMMITMENT_MISMATCH' };
    return { json: answer(boxNonce) };
  });
  relay.override.set(BOX_PATHS.provisionClaim, ({ body }) => {
    commitment = undefined;
    return { json: answer(JSON.parse(body.toString()).boxNonce) };
  });
  relay.override.set(BOX_PATHS.provisionAck, ({ body }) => {
    desk.acks.push(JSON.parse(body.toString()));
    return { json: { ok: true } };
  });
  t.teardown(() => desk.claim.stop());
  return desk;
}

const phase = (desk: Desk, wanted: string) =>
  eventually(`the phase ${wanted}`, () => (desk.claim.snapshot().phase === wanted ? desk.claim.snapshot() : undefined));

t.test('it tells the relay what it sees of its way, and goes on where nobody wants to know', async (t) => {
  const desk = await setUp(t);
  const told: { session: string; findings: { name: string }[] }[] = [];
  desk.relay.override.set(BOX_PATHS.provisionDoctor, ({ body }) => {
    told.push(JSON.parse(body.toString()));
    return { error: 'NOT_FOUND' };
  });
  await desk.claim.start();
  const [first] = await eventually('the findings', () => (told.length > 0 ? told : undefined));
  t.strictSame(
    first?.findings.map(({ name }) => name),
    [...DOCTOR_STEPS],
  );
  desk.stand = { state: 'approved', grant: desk.grant() };
  await phase(desk, 'done');
  t.equal(told.length, 1);
});

t.test('the box shows its code and number, is claimed, stores the grant, and only then acknowledges', async (t) => {
  const desk = await setUp(t);
  const { ctx, identity, relay } = desk;
  await desk.claim.start();
  const shown = await phase(desk, 'showing');
  t.match(shown.claimUrl, new RegExp(`^${relay.url}/claim#v1\\..*\\.${identity.dik.fingerprint}$`));
  t.match(shown.number, /^[0-9]{8}$/);
  desk.stand = { state: 'claimed' };
  const claimed = await phase(desk, 'claimed');
  t.equal(claimed.claimUrl, null, 'nothing to scan any more');
  t.equal(claimed.number, shown.number);
  relay.override.set(BOX_PATHS.provisionAck, ({ body }) => {
    desk.acks.push({ ...JSON.parse(body.toString()), phase: state.get(ctx.db, 'claim')?.phase });
    return { json: { ok: true } };
  });
  desk.stand = { state: 'approved', grant: desk.grant() };
  const done = await phase(desk, 'done');
  t.match(done.site, { applianceId: relay.box.applianceId, siteName: 'Praxis', claimedBy: 'Ada' });
  t.match(desk.acks, [{ applianceId: relay.box.applianceId, configGeneration: 1, phase: 'granted' }], 'on disk before');
  t.equal(state.siteConfig(ctx.db)?.generation, 1);
  t.match(
    changes.since(ctx.db, 0, { limit: 10 }).map(({ kind }) => kind),
    ['claimed', 'config_applied'],
  );
  t.notMatch(JSON.stringify(ctx.db.prepare('SELECT * FROM state').all()), desk.boxNonces[0]!, 'the nonce is gone');
  const stage = createEvidence({ ctx, evk: identity.evk, timeQuality: () => 'unsynced' });
  await stage.settle();
  t.equal(evidence.leaves(ctx.db, 0, 1)[0]?.kind, 'claim');
});

t.test('a code from the partner is presented, typed in any way or as its URL', async (t) => {
  for (const text of ['bcdf ghjkl mnpqr', 'BCDF-GHJKL-MNPQR', 'url']) {
    const desk = await setUp(t);
    desk.stand = { state: 'approved', grant: desk.grant() };
    await desk.claim.start();
    const code = text === 'url' ? `${desk.relay.url}/code#v1.${'K'.repeat(22)}` : text;
    await desk.claim.claimWithCode(code);
    await phase(desk, 'done');
    await t.rejects(desk.claim.claimWithCode(code), { code: 'ALREADY_CLAIMED' });
  }
});

t.test('what is not our code, or another relay’s, never leaves the box', async (t) => {
  const desk = await setUp(t);
  const { relay, claim } = desk;
  await t.rejects(claim.claimWithCode('hello'), { code: 'NOT_OUR_QR' });
  await t.rejects(claim.claimWithCode('AEIO-UAEIO-UAEIO'), { code: 'NOT_OUR_QR' });
  await t.rejects(claim.claimWithCode('https://example.com/menu'), { code: 'NOT_OUR_QR' });
  await t.rejects(claim.claimWithCode(`${relay.url}/claim#v1.${'K'.repeat(22)}.x`), { code: 'NOT_OUR_QR' });
  await t.rejects(claim.claimWithCode(`https://other.example/code#v1.${'K'.repeat(22)}`), { code: 'WRONG_RELAY' });
  t.equal(relay.on(BOX_PATHS.provisionClaim).length, 0);
});

t.test('a refused code is told with its own next step, and the box goes on showing its own', async (t) => {
  const desk = await setUp(t);
  await desk.claim.start();
  await phase(desk, 'showing');
  for (const error of ['CODE_INVALID', 'CODE_USED', 'CODE_REVOKED', 'CODE_LOCKED'] as const) {
    desk.relay.override.set(BOX_PATHS.provisionClaim, () => ({ error }));
    await t.rejects(desk.claim.claimWithCode('BCDFGHJKLMNPQR'), { code: error });
  }
  t.equal(desk.claim.snapshot().phase, 'showing');
});

t.test('a code whose answer was lost is presented again with the same nonce', async (t) => {
  const desk = await setUp(t);
  const good = desk.relay.override.get(BOX_PATHS.provisionClaim)!;
  const nonces: string[] = [];
  desk.relay.override.set(BOX_PATHS.provisionClaim, (request) => {
    nonces.push(JSON.parse(request.body.toString()).boxNonce);
    return nonces.length === 1 ? 'cut' : good(request);
  });
  await t.rejects(desk.claim.claimWithCode('BCDFGHJKLMNPQR'), { code: 'RELAY_UNREACHABLE' });
  desk.stand = { state: 'claimed' };
  await desk.claim.claimWithCode('BCDFGHJKLMNPQR');
  t.equal(nonces.length, 2);
  t.equal(nonces[0], nonces[1]);
});

t.test('a session that is over is followed by another, by itself', async (t) => {
  const desk = await setUp(t);
  await desk.claim.start();
  await phase(desk, 'showing');
  const starts = () => desk.relay.on(BOX_PATHS.provisionStart).length;
  desk.stand = { state: 'expired' };
  await eventually('a second session', () => (starts() >= 2 ? true : undefined));
  desk.stand = { state: 'started' };
  await phase(desk, 'showing');
  const before = starts();
  const good = desk.relay.override.get(BOX_PATHS.provisionStatus)!;
  desk.relay.override.set(BOX_PATHS.provisionStatus, () => ({ error: 'SESSION_UNKNOWN' }));
  await eventually('a third', () => (starts() > before ? true : undefined));
  desk.relay.override.set(BOX_PATHS.provisionStatus, good);
  await phase(desk, 'showing');
});

t.test('a rejection is shown', async (t) => {
  const desk = await setUp(t);
  await desk.claim.start();
  await phase(desk, 'showing');
  desk.stand = { state: 'rejected' };
  const shown = await phase(desk, 'rejected');
  t.equal(shown.error?.code, 'CLAIM_REJECTED');
});

const LEFT = { siteName: 'Praxis', by: 'Ada', reason: 'moves', atMs: 1 };

t.test(
  'a box that nobody expects where it was to move says so once, and gives its keys to no code before',
  async (t) => {
    for (const answer of ['started', 'rejected'] as const) {
      let told = 0;
      const onMoveOver = () => {
        told += 1;
      };
      const desk = await setUp(t, { left: { ...LEFT, movesTo: 'Hill road' }, onMoveOver });
      desk.stand = { state: answer };
      await desk.claim.start();
      await eventually('it is told', () => (told > 0 ? true : undefined));
      await t.rejects(desk.claim.claimWithCode('BCDF-GHJKL-MNPQR'), { code: 'CLAIM_BUSY' });
      t.equal(desk.relay.on(BOX_PATHS.provisionClaim).length, 0, answer);
      t.equal(told, 1);
      await desk.claim.stop();

      const unstarted = await setUp(t, { left: { ...LEFT, movesTo: 'Hill road' }, onMoveOver });
      unstarted.stand = { state: answer };
      await t.rejects(unstarted.claim.claimWithCode('BCDF-GHJKL-MNPQR'), { code: 'CLAIM_BUSY' });
      t.equal(unstarted.relay.on(BOX_PATHS.provisionClaim).length, 0, 'asked first, though no answer had come yet');
      t.equal(told, 2);
    }
  },
);

t.test('a box that is expected, or was only released, keeps its keys', async (t) => {
  for (const [left, stands] of [
    [{ ...LEFT, movesTo: 'Hill road' }, 'claimed'],
    [LEFT, 'started'],
  ] as const) {
    const desk = await setUp(t, { left, onMoveOver: () => t.fail('its keys would be made anew') });
    desk.stand = { state: stands };
    await desk.claim.start();
    await eventually('two answers', () => (desk.boxNonces.length > 1 ? true : undefined));
    await desk.claim.stop();
  }
});

t.test('a grant that does not verify is not taken', async (t) => {
  const other = await uplinkFixture(t);
  const bad: [string, (desk: Desk) => Partial<ProvisionGrant>][] = [
    ['keys of another root', () => ({ relayKeys: other.relay.keysEnvelope })],
    ['a configuration by another relay', () => ({ config: other.relay.siteConfig() })],
    ["another box's configuration", (desk) => ({ config: desk.relay.siteConfig({ dikFingerprint: 'A'.repeat(43) }) })],
    ['another appliance id', () => ({ applianceId: newId('app') })],
    ['another site', () => ({ siteId: newId('site') })],
  ];
  for (const [what, change] of bad) {
    const desk = await setUp(t);
    await desk.claim.start();
    await phase(desk, 'showing');
    desk.stand = { state: 'approved', grant: desk.grant(change(desk)) };
    await eventually(what, () => (desk.claim.snapshot().error?.code === 'GRANT_INVALID' ? true : undefined));
    t.strictSame(desk.acks, [], what);
    t.equal(state.siteConfig(desk.ctx.db), undefined);
    t.equal(changes.lastId(desk.ctx.db), 0);
    await desk.claim.stop();
  }
});

t.test('a number the box did not compute itself is refused', async (t) => {
  const desk = await setUp(t);
  await desk.claim.start();
  await phase(desk, 'showing');
  desk.relay.override.set(BOX_PATHS.provisionStatus, ({ body }) => {
    const { session } = JSON.parse(body.toString());
    return { json: { session, state: 'started', relayNonce: NONCE, number: '00000000', pollAfterMs: 10 } };
  });
  await eventually('it is told', () => (desk.claim.snapshot().error?.code === 'GRANT_INVALID' ? true : undefined));
});

t.test('working keys that the pinned root did not sign end the claim before anything is shown', async (t) => {
  const desk = await setUp(t);
  const other = await uplinkFixture(t);
  const { identity, relay } = desk;
  relay.override.set(BOX_PATHS.provisionStart, () => ({
    json: {
      session: newId('ps'),
      relayNonce: NONCE,
      expiresAtMs: relay.nowMs() + 1000,
      pollAfterMs: 10,
      claimUrl: `${relay.url}/claim#v1.${'S'.repeat(22)}.${identity.dik.fingerprint}`,
      relayKeys: other.relay.keysEnvelope,
    },
    status: 201,
  }));
  await desk.claim.start();
  await eventually('it is told', () => (desk.claim.snapshot().error?.code === 'RELAY_KEYS_INVALID' ? true : undefined));
  t.match(desk.claim.snapshot(), { phase: 'no_relay', claimUrl: null, number: null });
});

t.test('a box killed after the grant goes on with the acknowledgement', async (t) => {
  const desk = await setUp(t);
  const { ctx, identity, client, relay } = desk;
  relay.override.set(BOX_PATHS.provisionAck, () => 'cut');
  desk.stand = { state: 'approved', grant: desk.grant() };
  await desk.claim.start();
  await eventually('the grant is on disk', () => (state.get(ctx.db, 'claim')?.phase === 'granted' ? true : undefined));
  await desk.claim.stop();
  relay.override.set(BOX_PATHS.provisionAck, () => ({ json: { ok: true } }));
  const again = createClaim({ ctx, identity, client, random: () => 0 });
  await again.start();
  t.teardown(() => again.stop());
  await eventually('it is done', () => (again.snapshot().phase === 'done' ? true : undefined));
  t.equal(changes.since(ctx.db, 0, { limit: 10 }).filter(({ kind }) => kind === 'claimed').length, 1);
});

t.test('without a relay the doctor says where it ends', async (t) => {
  const desk = await setUp(t);
  await desk.relay.close();
  await desk.claim.start();
  const { doctor, error } = await eventually('the doctor has looked', () => {
    const snapshot = desk.claim.snapshot();
    return snapshot.doctor.length > 0 ? snapshot : undefined;
  });
  t.equal(error?.code, 'RELAY_UNREACHABLE');
  t.match(
    doctor.map(({ name, state: found }) => `${name} ${found}`),
    ['link ok', 'address ok', 'dns ok', 'tcp failed', 'tls skipped', 'http skipped', 'clock ok', 'disk ok'],
  );
  t.match(doctor[3], { code: 'PORT_REFUSED', text: /allow outgoing TCP/ });
});
