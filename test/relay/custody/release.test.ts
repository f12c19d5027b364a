import { readSignedPayload, verifyReceipt } from '@sitewarden/agent-proto/custody';
import {
  BOX_PATHS,
  type CustodyBundle,
  type CustodyReceipt,
  compile,
  PAYLOAD_TYPES,
  ReleasePayload,
} from '@sitewarden/agent-proto/http';
import { fingerprint, generateEd25519, privateKeyFromPem, rawPublicKey, sign } from '@sitewarden/agent-proto/keys';
import { transitionBytes } from '@sitewarden/agent-proto/rotation';
import t, { type Test } from 'tap';
import { KEEP_RETIRED_MS, purgeExpired } from '../../../relay/claim/purge.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { readQr } from '../../helpers/box.ts';
import { leavingBox } from '../../helpers/leave.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';
import { rootPublicKeyOf } from '../../helpers/root-key.ts';

interface View {
  release: { id: string; state: string } | null;
  receipts: CustodyReceipt[];
}
const validate = compile(ReleasePayload);
const REASON = 'moved to another clinic';

async function world(_t: Test, start: Start) {
  const relay = await start();
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const { box, applianceId } = await relay.claim(admin, siteId);
  const { host } = relay.services.keys;
  const order = (who = admin, id = applianceId) =>
    who.call<View & { code?: string }>('orderRelease', {
      params: { siteId },
      body: { applianceId: id, reason: REASON },
    });
  const custody = async () => (await admin.call<View>('custody', { params: { siteId } })).body;
  const leaving = leavingBox(box, { host, applianceId });
  const fetch = () => box.send<{ release?: string; code?: string }>(BOX_PATHS.release);
  return { relay, partnerId, siteId, admin, box, applianceId, order, custody, leaving, fetch };
}

await onBothRelays(t, {
  "a box that is released closes its log, is nobody's then, and both people have a receipt": async (t, start) => {
    const { relay, partnerId, siteId, admin, box, applianceId, order, custody, leaving, fetch } = await world(t, start);
    leaving.log.append(3);
    await leaving.deliver();
    t.notOk((await leaving.checkin()).body.isReleasing);
    t.match(await fetch(), { status: 404, body: { code: 'RELEASE_NONE' } });

    const { release } = (await order()).body;
    t.match(release, { state: 'ordered' });
    const id = release?.id as string;
    t.match(await leaving.word(id), { status: 404, body: { code: 'RELEASE_NONE' } }, 'it was not given to the box yet');
    t.equal((await leaving.checkin()).body.isReleasing, true);
    t.match(await fetch(), { status: 200, body: { release: /signatures/ } });
    t.match((await custody()).release, { state: 'delivered' });
    const undo = { params: { siteId }, body: { releaseId: id } };
    t.match(await admin.call('withdrawRelease', undo), { status: 409, body: { code: 'RELEASE_UNDER_WAY' } });

    t.match(await leaving.word(id), { status: 409, body: { code: 'RELEASE_LOG_OPEN' } }, 'no last entry');
    leaving.log.append(1, { kind: 'released' });
    t.match(await leaving.word(id), { status: 409, body: { code: 'RELEASE_LOG_OPEN' } }, 'it was not sent');
    await leaving.deliver();
    t.match(await leaving.word(id, { size: 3 }), { status: 409 }, 'another size than the log has');
    t.match(await leaving.word(id), { status: 200, body: { receipt: /signatures/ } });
    t.match(await leaving.checkin(), { status: 403, body: { code: 'APPLIANCE_RELEASED', message: /reset/ } });
    t.match(await leaving.word(id), { status: 403, body: { code: 'APPLIANCE_RELEASED' } });

    const { receipts } = await custody();
    t.match(receipts, [
      { kind: 'released', by: /Ada|Moreno|staff/, reason: REASON, box: { applianceId, epoch: 1 }, log: { size: 4 } },
    ]);
    const { receiptId } = receipts[0] as CustodyReceipt;
    const { bundle } = (await admin.call<{ bundle: CustodyBundle }>('receipt', { params: { receiptId } })).body;
    const rootKey = await rootPublicKeyOf(relay.dataDir);
    t.match(verifyReceipt(bundle, rootKey), {
      ok: true,
      checks: [
        'form',
        /root key/,
        /config key/,
        'the log of this box',
        'keys of the log',
        'last checkpoint',
        "the box's own word",
      ],
    });
    t.match((await admin.call('site', { params: { siteId } })).body, { appliance: null });
    const stranger = await relay.staff(await seedPartner(relay.store, 'Other'), 'admin');
    t.equal((await stranger.call('receipt', { params: { receiptId } })).status, 404);

    await purgeExpired(relay.store, Date.now() + KEEP_RETIRED_MS - 60_000);
    t.match(await leaving.checkin(), { body: { code: 'APPLIANCE_RELEASED' } });
    await purgeExpired(relay.store, Date.now() + KEEP_RETIRED_MS + 60_000);
    t.match(await leaving.checkin(), { status: 401, body: { code: 'APPLIANCE_UNKNOWN' } }, 'the memory of it ends');
    t.ok(partnerId);
    t.equal(typeof box.serial, 'string');
  },

  'the same box can be claimed again after its release, and is welcome at once': async (t, start) => {
    const { relay, siteId, admin, box, order, leaving, fetch } = await world(t, start);
    const id = (await order()).body.release?.id as string;
    await fetch();
    leaving.log.append(1).append(1, { kind: 'released' });
    await leaving.deliver();
    t.equal((await leaving.word(id)).status, 200);
    t.match(await leaving.checkin(), { body: { code: 'APPLIANCE_RELEASED' } });
    const { session, claimUrl } = (await box.start()).body;
    const { number } = (await box.status(session)).body;
    const [, secret = '', fingerprint = ''] = claimUrl.split('#')[1]?.split('.') ?? [];
    const claimed = await admin.call<{ applianceId: string }>('claimBox', {
      params: { session },
      body: { secret, fingerprint, siteId, number },
    });
    t.match(claimed, { status: 200, body: { state: 'approved' } });
    const again = leavingBox(box, { host: relay.services.keys.host, applianceId: claimed.body.applianceId });
    t.match(await again.checkin(), { status: 200, body: { state: 'active' } });
  },

  'a released box moves to another company, and both have a receipt of their own': async (t, start) => {
    const { relay, box, order, custody, leaving, fetch } = await world(t, start);
    const otherId = await seedPartner(relay.store, 'Other MSP');
    const { siteId: elsewhere } = await seedSite(relay.store, otherId, 'Hill road');
    const other = await relay.staff(otherId, 'admin', 'Bo Lind');
    const { session: early, claimUrl: earlyUrl } = (await box.start()).body;
    const { number: earlyNumber } = (await box.status(early)).body;
    const take = (session: string, claimUrl: string, number: string) =>
      other.call<{ applianceId: string }>('claimBox', {
        params: { session },
        body: { ...readQr(claimUrl), siteId: elsewhere, number },
      });
    t.match(await take(early, earlyUrl, earlyNumber), { status: 409, body: { code: 'BOX_CLAIMED_ELSEWHERE' } });

    const id = (await order()).body.release?.id as string;
    await fetch();
    leaving.log.append(1).append(1, { kind: 'released' });
    await leaving.deliver();
    t.equal((await leaving.word(id)).status, 200);
    const { session, claimUrl } = (await box.start()).body;
    const { number } = (await box.status(session)).body;
    t.equal((await take(session, claimUrl, number)).status, 200, 'the other side takes it by claiming it');
    const theirs = (await other.call<View>('custody', { params: { siteId: elsewhere } })).body.receipts;
    t.match(theirs, [{ kind: 'received', partnerName: 'Other MSP', siteName: 'Hill road', log: { size: 0 } }]);
    const params = { receiptId: theirs[0]?.receiptId ?? '' };
    const { bundle } = (await other.call<{ bundle: CustodyBundle }>('receipt', { params })).body;
    t.match(verifyReceipt(bundle, await rootPublicKeyOf(relay.dataDir)), { ok: true });
    const ours = (await custody()).receipts;
    t.match(ours, [{ kind: 'released', siteName: 'Main street' }]);
    t.equal(ours[0]?.box.dik, theirs[0]?.box.dik, 'one box, by its key');
    t.not(ours[0]?.log.origin, theirs[0]?.log.origin, 'and two logs');
  },

  'a box that changed its key since the order is given a release for the key it asks with': async (t, start) => {
    const { relay, box, applianceId, order, leaving } = await world(t, start);
    const next = privateKeyFromPem(generateEd25519().privateKeyPem);
    await leaving.checkin();
    const id = (await order()).body.release?.id as string;
    const newKey = rawPublicKey(next);
    const bytes = transitionBytes({ key: 'dik', owner: applianceId, oldKey: rawPublicKey(box.dikPrivate), newKey });
    const by = (key: typeof next) => Buffer.from(sign(key, bytes)).toString('base64url');
    const body = { newKey, oldSignature: by(box.dikPrivate), newSignature: by(next) };
    t.match(await box.send(BOX_PATHS.keys, { body }), { status: 200 });
    for (const as of [next, next]) {
      const { body } = await box.send<{ release: string; relayKeys: string }>(BOX_PATHS.release, { as });
      const keys = relay.services.keys.published.config.map(({ publicKey }) => publicKey);
      const payload = readSignedPayload(body.release, { payloadType: PAYLOAD_TYPES.release, keys, validate });
      t.match(payload, { releaseId: id, applianceId, reason: REASON, dikFingerprint: fingerprint(newKey) });
    }
  },

  'a release is taken back until the box has it, and asked twice it is one': async (t, start) => {
    const { relay, partnerId, siteId, admin, applianceId, order, custody, leaving, fetch } = await world(t, start);
    const operator = await relay.staff(partnerId, 'operator', 'Olga');
    const both = await Promise.all([order(), order(operator)]);
    t.same(
      both.map(({ status }) => status),
      [200, 200],
    );
    t.equal(both[0]?.body.release?.id, both[1]?.body.release?.id, 'two people at once ask for one release');
    const undo = { params: { siteId }, body: { releaseId: both[0]?.body.release?.id } };
    t.match(await operator.call('withdrawRelease', undo), { status: 200, body: { release: null } });
    t.match(await admin.call('withdrawRelease', undo), { status: 200 }, 'taken back twice is taken back');
    t.notOk((await leaving.checkin()).body.isReleasing);
    t.match(await fetch(), { status: 404, body: { code: 'RELEASE_NONE' } });
    t.match((await custody()).receipts, [{ kind: 'received' }]);
    t.equal((await custody()).receipts.length, 1);
    t.match(await order(admin, `app_${'a'.repeat(26)}`), { status: 409, body: { code: 'APPLIANCE_LEFT' } });
    t.match(await order(await relay.staff(partnerId, 'readonly')), { status: 403 });
    t.ok(applianceId);
  },

  'of a box that takes its release and a person who takes it back, one wins and the other hears it': async (
    t,
    start,
  ) => {
    const { siteId, admin, order, custody, fetch } = await world(t, start);
    for (let round = 0; round < 8; round += 1) {
      const releaseId = (await order()).body.release?.id as string;
      const [taken, back] = await Promise.all([
        fetch(),
        admin.call<{ code?: string }>('withdrawRelease', { params: { siteId }, body: { releaseId } }),
      ]);
      const won = `${taken.status} ${back.status}`;
      t.ok(won === '200 409' || won === '404 200', won);
      if (won === '200 409') break;
      t.equal((await custody()).release, null);
    }
  },

  'a box that is removed without its word is told so, and a release that waited for it is over': async (t, start) => {
    const { relay, partnerId, siteId, admin, applianceId, order, custody, leaving } = await world(t, start);
    await leaving.checkin();
    await order();
    const body = { applianceId, reason: 'stolen' };
    const operator = await relay.staff(partnerId, 'operator');
    t.equal((await operator.call('removeBox', { params: { siteId }, body })).status, 403);
    t.match(await admin.call('removeBox', { params: { siteId }, body }), { status: 200, body: { release: null } });
    t.match(await admin.call('removeBox', { params: { siteId }, body }), { status: 409 });
    t.match(await leaving.checkin(), { status: 403, body: { code: 'APPLIANCE_REMOVED', message: /lost or broken/ } });
    t.match((await custody()).receipts, [{ kind: 'removed', reason: 'stolen', released: null }]);
    const { items } = (await admin.call<{ items: { text: string }[] }>('timeline', { params: { siteId } })).body;
    t.ok(items.some(({ text }) => /removed without its word. Reason: stolen/.test(text)));
  },

  'a box in quarantine is not asked to close its log': async (t, start) => {
    const { relay, partnerId, applianceId, order } = await world(t, start);
    await relay.store.inTenant(partnerId, (trx) =>
      trx.updateTable('appliance').set({ state: 'quarantined' }).where('id', '=', applianceId).execute(),
    );
    t.match(await order(), { status: 409, body: { code: 'RELEASE_QUARANTINED' } });
  },

  'a box that another one replaces is told so': async (t, start) => {
    const { relay, siteId, admin, custody, leaving, order } = await world(t, start);
    await leaving.checkin();
    await order();
    await relay.claim(admin, siteId);
    t.match(await leaving.checkin(), { status: 403, body: { code: 'APPLIANCE_REPLACED' } });
    const now = await custody();
    t.equal(now.release, null);
    const removed = now.receipts.filter(({ kind }) => kind === 'removed');
    t.match(removed, [{ reason: /replaced by/ }]);
  },
});
