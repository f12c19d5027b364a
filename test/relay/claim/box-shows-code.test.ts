import { decodeEnvelope, verifyEnvelope } from '@sitewarden/agent-proto/dsse';
import { BOX_PATHS, compile, type ProvisionAnswer, RelayKeys, SiteConfig } from '@sitewarden/agent-proto/http';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import t, { type Test } from 'tap';
import { readQr } from '../../helpers/box.ts';
import { giveAllSites, seedPartner, seedSite, startTestRelay, testClock } from '../../helpers/relay.ts';

interface View {
  session: string;
  state: string;
  number: string | null;
  siteName: string | null;
  disputed: boolean;
  applianceId: string | null;
  progress: Record<string, unknown>;
}

async function world(t: Test) {
  const clock = testClock();
  const relay = await startTestRelay((fn) => t.teardown(fn), { clock });
  const partnerId = await seedPartner(relay.store, 'Northwind IT');
  const site = await seedSite(relay.store, partnerId, 'Elm street');
  const [admin, operator, technician] = await Promise.all([
    relay.staff(partnerId, 'admin'),
    relay.staff(partnerId, 'operator'),
    relay.staff(partnerId, 'technician'),
  ]);
  await giveAllSites(relay.store, partnerId);
  return { relay, clock, ...site, admin, operator, technician };
}

t.test('a scanned box is claimed, approved, and gets a config signed for its key', async (t) => {
  const { relay, siteId, admin, technician } = await world(t);
  const box = await relay.box('SN-77');
  const started = await box.start();
  t.equal(started.status, 201);
  t.match(started.body.claimUrl, `${relay.publicUrl}/claim#v1.`);
  const scanned = readQr(started.body.claimUrl);
  t.equal(scanned.fingerprint, box.fingerprint);

  const unseen = await technician.call<View>('lookupClaim', { body: scanned });
  t.match(unseen.body, { state: 'started', number: null, serial: 'SN-77', siteName: null });
  const { session } = started.body;
  const early = { ...scanned, siteId, number: '00000000' };
  t.match((await technician.call('claimBox', { params: { session }, body: early })).body, { code: 'NUMBER_NOT_READY' });

  const waiting = await box.status(session);
  t.match(waiting.body, { state: 'started', number: /^[0-9]{8}$/ });
  t.equal(waiting.body.grant, undefined);
  const { number } = waiting.body;
  t.match((await technician.call('lookupClaim', { body: scanned })).body, { number }, 'to compare with the box');
  for (const person of [admin, technician]) {
    const bySession = await person.call('claimSession', { params: { session } });
    t.match(
      bySession,
      { status: 404, body: { code: 'SESSION_UNKNOWN' } },
      'a session id is no proof of having seen it',
    );
  }
  const wrong = String((Number(number) + 1) % 100_000_000).padStart(8, '0');
  const mismatch = await technician.call('claimBox', { params: { session }, body: { ...early, number: wrong } });
  t.match(mismatch, { status: 422, body: { code: 'NUMBER_MISMATCH', field: '/number' } });

  const claimed = await technician.call<View>('claimBox', { params: { session }, body: { ...early, number } });
  t.match(claimed.body, { state: 'claimed', siteName: 'Elm street', progress: { claimed: true, approved: false } });
  t.equal((await box.status(session)).body.grant, undefined, 'nothing is granted before the approval');
  t.equal((await technician.call('approveClaim', { params: { session }, body: { number } })).status, 403);

  const approved = await admin.call<View>('approveClaim', { params: { session }, body: { number } });
  t.match(approved.body, { state: 'approved', applianceId: /^app_/ });
  const granted = await box.status(session);
  const grant = granted.body.grant;
  t.match(grant, {
    siteId,
    siteName: 'Elm street',
    partnerName: 'Northwind IT',
    epoch: 1,
    claimedBy: 'technician person',
  });
  t.strictSame((await box.status(session)).body, granted.body, 'asked again it is the same answer');

  const published = JSON.parse(Buffer.from(decodeEnvelope(Buffer.from(grant?.relayKeys ?? '')).payload).toString());
  t.ok(compile(RelayKeys)(published).ok);
  const envelope = decodeEnvelope(Buffer.from(grant?.config ?? ''));
  const payload = verifyEnvelope(envelope, publicKeyFromRaw(published.config[0].publicKey));
  const config = compile(SiteConfig)(JSON.parse(Buffer.from(payload).toString()));
  t.match(config, {
    ok: true,
    value: { applianceId: grant?.applianceId, siteId, dikFingerprint: box.fingerprint, requiredServices: ['cron'] },
  });

  t.equal((await box.ack(session, grant?.applianceId ?? '')).status, 200);
  t.equal((await box.ack(session, grant?.applianceId ?? '')).status, 200);
  const seen = await technician.call<View>('claimSession', { params: { session } });
  t.match(seen.body, { state: 'acknowledged', progress: { acknowledged: true, firstCheckin: false, agents: 0 } });
  t.equal((await box.send(BOX_PATHS.orders)).status, 200, 'the key is known from now on');
});

t.test('a session that nobody claims ends, exactly on time, and looks unknown to staff', async (t) => {
  const { relay, clock, siteId, admin } = await world(t);
  const box = await relay.box();
  const { session, claimUrl, expiresAtMs } = (await box.start()).body;
  const { number } = (await box.status(session)).body;
  clock.advance(expiresAtMs - clock.nowMs());
  const body = { ...readQr(claimUrl), siteId, number };
  t.match(await admin.call('claimBox', { params: { session }, body }), {
    status: 404,
    body: { code: 'SESSION_UNKNOWN' },
  });
  t.match(await admin.call('lookupClaim', { body: readQr(claimUrl) }), { status: 404 });
  const createdS = Math.floor(clock.nowMs() / 1000);
  const answer = await box.send<ProvisionAnswer>(BOX_PATHS.provisionStatus, {
    body: { session, boxNonce: box.boxNonce },
    createdS,
  });
  t.match(answer, { status: 200, body: { state: 'expired' } });
});

t.test('a box cannot change the nonce it committed to', async (t) => {
  const { relay } = await world(t);
  const box = await relay.box();
  const { session } = (await box.start()).body;
  const send = (boxNonce: string) => box.send(BOX_PATHS.provisionStatus, { body: { session, boxNonce } });
  t.match(await send('AAAAAAAAAAAAAAAAAAAAAA'), { status: 422, body: { code: 'COMMITMENT_MISMATCH' } });
  t.equal((await send(box.boxNonce)).status, 200);
  t.match(await send('AAAAAAAAAAAAAAAAAAAAAA'), { status: 422, body: { code: 'COMMITMENT_MISMATCH' } });
});

t.test('another box gets nothing out of a session that is not its own', async (t) => {
  const { relay } = await world(t);
  const [box, thief] = await Promise.all([relay.box(), relay.box()]);
  const { session } = (await box.start()).body;
  t.match(await thief.status(session), { status: 409, body: { code: 'KEYS_MISMATCH' } });
  t.match(await thief.status('ps_aaaaaaaaaaaaaaaaaaaaaaaaaa'), { status: 404, body: { code: 'SESSION_UNKNOWN' } });
});

t.test('a new box takes the place of the old one at a site, and the old one is refused', async (t) => {
  const { relay, siteId, partnerId, admin } = await world(t);
  const first = await relay.claim(admin, siteId);
  t.equal((await first.box.send(BOX_PATHS.orders)).status, 200);
  const second = await relay.claim(admin, siteId);
  t.match(await first.box.send(BOX_PATHS.orders), { status: 403, body: { code: 'APPLIANCE_REPLACED' } });
  t.equal((await second.box.send(BOX_PATHS.orders)).status, 200);
  const rows = await relay.store.inTenant(partnerId, (trx) =>
    trx
      .selectFrom('appliance')
      .select(['id', 'state'])
      .where('site_id', '=', siteId)
      .orderBy('claimed_at_ms')
      .execute(),
  );
  t.match(rows, [
    { id: first.applianceId, state: 'revoked' },
    { id: second.applianceId, state: 'active' },
  ]);
  const audit = await relay.store.inTenant(partnerId, (trx) =>
    trx.selectFrom('audit_event').select(['ref', 'detail']).where('action', '=', 'box.replaced').execute(),
  );
  t.match(audit, [{ ref: siteId, detail: new RegExp(`${first.applianceId}.*${second.box.serial}`) }]);
});

t.test('a box in use at one company cannot be taken by another', async (t) => {
  const { relay, siteId, admin } = await world(t);
  const { box } = await relay.claim(admin, siteId);
  const elsewhere = await seedPartner(relay.store, 'Other');
  const their = await seedSite(relay.store, elsewhere);
  const theirAdmin = await relay.staff(elsewhere, 'admin');
  const { session, claimUrl } = (await box.start()).body;
  const { number } = (await box.status(session)).body;
  const body = { ...readQr(claimUrl), siteId: their.siteId, number };
  const answer = await theirAdmin.call('claimBox', { params: { session }, body });
  t.match(answer, { status: 409, body: { code: 'BOX_CLAIMED_ELSEWHERE' } });
  t.equal((await box.send(BOX_PATHS.orders)).status, 200, 'the appliance in use is not touched');
  const back = await admin.call<View>('claimBox', { params: { session }, body: { ...body, siteId } });
  t.equal(back.status, 200, 'its own company may claim it again');
});

t.test('a box cannot be claimed for a site of another company', async (t) => {
  const { relay, admin } = await world(t);
  const their = await seedSite(relay.store, await seedPartner(relay.store, 'Other'));
  const box = await relay.box();
  const { session, claimUrl } = (await box.start()).body;
  const { number } = (await box.status(session)).body;
  const body = { ...readQr(claimUrl), siteId: their.siteId, number };
  t.match(await admin.call('claimBox', { params: { session }, body }), { status: 404, body: { code: 'NOT_FOUND' } });
  t.equal((await box.status(session)).body.state, 'started', 'the box still waits');
});

t.test('keys that are not what they should be open no session', async (t) => {
  const { relay } = await world(t);
  const box = await relay.box();
  const commitment = 'A'.repeat(43);
  const start = (keys: object) =>
    box.send(BOX_PATHS.provisionStart, { body: { ...box.facts(), keys: { ...box.keys, ...keys }, commitment } });
  t.match(await start({ evk: box.keys.dik }), { status: 400, body: { code: 'BODY_INVALID', field: '/keys' } });
  t.match(await start({ evk: 'A'.repeat(43) }), { status: 400, body: { code: 'BODY_INVALID', field: '/keys/evk' } });
  t.match(await start({ seal: 'A'.repeat(43) }), { status: 400, body: { code: 'BODY_INVALID', field: '/keys/seal' } });
  const csr = '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n';
  t.match(await start({ siteCaCsr: csr }), { status: 400, body: { code: 'CSR_INVALID' } });
});
