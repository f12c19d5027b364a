import type { KeyObject } from 'node:crypto';
import {
  BOX_PATHS,
  type KeyTransitionRequest,
  nonceCommitment,
  PAYLOAD_TYPES,
  type ReceiptPayload,
} from '@sitewarden/agent-proto/http';
import { fingerprint, generateEd25519, privateKeyFromPem, rawPublicKey, sign } from '@sitewarden/agent-proto/keys';
import { transitionBytes } from '@sitewarden/agent-proto/rotation';
import t from 'tap';
import { LATE_REQUEST_MS } from '../../../relay/rotation/index.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { readQr } from '../../helpers/box.ts';
import { seedPartner, seedSite, testClock } from '../../helpers/relay.ts';
import { checkinBody } from '../../helpers/sim-box.ts';
import { envelopeOf, outboxBody } from '../../helpers/sim-log.ts';

const BOOTS = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'] as const;
const newKey = () => privateKeyFromPem(generateEd25519().privateKeyPem);

async function world(start: Start) {
  const clock = testClock();
  const relay = await start({ clock });
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin');
  const { box, applianceId } = await relay.claim(admin, siteId);
  const nowS = () => Math.floor(clock.nowMs() / 1000);
  const checkin = (as: KeyObject, over: Parameters<typeof checkinBody>[0] = {}) =>
    box.send(BOX_PATHS.checkin, { body: checkinBody(over), as, createdS: nowS() });
  const announce = (body: KeyTransitionRequest, as: KeyObject = box.dikPrivate) =>
    box.send(BOX_PATHS.keys, { body, as, createdS: nowS() });
  const audit = async () =>
    relay.store.inTenant(partnerId, async (trx) =>
      (await trx.selectFrom('audit_event').select(['action', 'detail']).orderBy('id').execute()).filter(({ action }) =>
        action.startsWith('appliance.'),
      ),
    );
  const transition = (next: KeyObject, over: Partial<{ old: KeyObject; newSigner: KeyObject; owner: string }> = {}) => {
    const old = over.old ?? box.dikPrivate;
    const newKey = rawPublicKey(next);
    const bytes = transitionBytes({
      key: 'dik',
      owner: over.owner ?? applianceId,
      oldKey: rawPublicKey(old),
      newKey,
    });
    const by = (key: KeyObject) => Buffer.from(sign(key, bytes)).toString('base64url');
    return { newKey, oldSignature: by(old), newSignature: by(over.newSigner ?? next) };
  };
  /** The same machine asks for its place; flashed anew it does so under a new key. */
  const comesBack = async (fresh: typeof box) => {
    const asked = { body: { ...fresh.facts(), commitment: nonceCommitment(fresh.boxNonce) }, createdS: nowS() };
    const { session } = (await fresh.send<{ session: string }>(BOX_PATHS.provisionStart, asked)).body;
    const shown = { body: { session, boxNonce: fresh.boxNonce }, createdS: nowS() };
    const { number } = (await fresh.send<{ number: string }>(BOX_PATHS.provisionStatus, shown)).body;
    const approve = () => admin.call('rearmBox', { params: { session }, body: { applianceId, number } });
    return { fresh, approve };
  };
  const flashed = async () => comesBack(await relay.box(box.serial));
  return {
    relay,
    clock,
    box,
    applianceId,
    partnerId,
    siteId,
    admin,
    checkin,
    announce,
    audit,
    transition,
    flashed,
    comesBack,
  };
}

t.test('a box changes its device key', async (t) => {
  await onBothRelays(t, {
    'the old key stays until the first request under the new one, and then opens nothing': async (t, start) => {
      const { box, checkin, announce, audit, transition } = await world(start);
      const next = newKey();
      const first = await checkin(box.dikPrivate);
      t.match(first, { status: 200, body: { state: 'active' } });
      t.match(await checkin(next), { status: 401, body: { code: 'APPLIANCE_UNKNOWN' } }, 'not announced yet');
      const answer = { status: 200, body: { fingerprint: fingerprint(rawPublicKey(next)) } };
      t.match(await announce(transition(next)), answer);
      t.match(await announce(transition(next)), answer, 'said again');
      const token = (first.body as { token: string }).token;
      const second = await checkin(box.dikPrivate, { counter: 2, previousToken: token });
      t.match(
        second,
        { status: 200, body: { state: 'active' } },
        'the answer may have been lost: the old key still works',
      );
      const third = await checkin(next, { counter: 3, previousToken: (second.body as { token: string }).token });
      t.match(third, { status: 200, body: { state: 'active' } }, 'the chain goes on under the new key');
      t.match(await checkin(box.dikPrivate), { status: 401, body: { code: 'DIK_RETIRED' } });
      const again = await checkin(next, { counter: 4, previousToken: (third.body as { token: string }).token });
      t.match(again, { status: 200, body: { state: 'active' } });
      const events = await audit();
      t.strictSame(
        events.map(({ action }) => action),
        ['appliance.dik_announced', 'appliance.dik_rotated'],
        'each once',
      );
      const announced = JSON.parse(events[0]?.detail ?? '{}');
      t.match(announced, transition(next), 'with both signatures');
    },

    'a transition only one of the keys signed, or made for another box, is refused': async (t, start) => {
      const { box, checkin, announce, audit, transition } = await world(start);
      const [next, stranger] = [newKey(), newKey()];
      const good = transition(next);
      const cases: Record<string, [KeyTransitionRequest, string]> = {
        'by the old key alone': [transition(next, { newSigner: box.dikPrivate }), '/newSignature'],
        'by the new key alone': [{ ...good, oldSignature: good.newSignature }, '/oldSignature'],
        'by another old key': [transition(next, { old: stranger }), '/oldSignature'],
        'of another box': [transition(next, { owner: 'app_aaaaaaaaaaaaaaaaaaaaaaaaaa' }), '/oldSignature'],
        'to itself': [transition(box.dikPrivate), '/newKey'],
      };
      for (const [name, [body, field]] of Object.entries(cases)) {
        t.match(await announce(body), { status: 422, body: { code: 'KEY_TRANSITION_INVALID', field } }, name);
      }
      t.match(
        await announce(good, next),
        { status: 401, body: { code: 'APPLIANCE_UNKNOWN' } },
        'sent under the new key',
      );
      t.match(await checkin(next), { status: 401, body: { code: 'APPLIANCE_UNKNOWN' } });
      t.strictSame(await audit(), []);
    },

    'a key that was retired and claimed anew can be changed again': async (t, start) => {
      const { relay, box, checkin, announce, transition, admin, partnerId } = await world(start);
      const next = newKey();
      t.equal((await announce(transition(next))).status, 200);
      t.equal((await checkin(next)).status, 200);
      t.match(await checkin(box.dikPrivate), { status: 401, body: { code: 'DIK_RETIRED' } });
      const { siteId } = await seedSite(relay.store, partnerId, 'Elsewhere');
      const { session, claimUrl } = (await box.start()).body;
      const { number } = (await box.status(session)).body;
      const claimed = await admin.call<{ applianceId: string }>('claimBox', {
        params: { session },
        body: { ...readQr(claimUrl), siteId, number },
      });
      t.equal(claimed.status, 200);
      t.match(await checkin(box.dikPrivate), { status: 200, body: { state: 'active' } });
      const third = newKey();
      const turn = transition(third, { owner: claimed.body.applianceId });
      t.match(await announce(turn), { status: 200 });
      t.match(await checkin(third), { status: 200 }, 'the first request under it puts it in force');
      t.match(await checkin(box.dikPrivate), { status: 401, body: { code: 'DIK_RETIRED' } });
    },

    'a key somebody has, or had, is not taken': async (t, start) => {
      const { relay, box, checkin, announce, transition, admin, partnerId } = await world(start);
      const other = await relay.claim(admin, (await seedSite(relay.store, partnerId, 'Elsewhere')).siteId);
      t.match(await announce(transition(other.box.dikPrivate)), { status: 409, body: { code: 'KEY_IN_USE' } });
      const next = newKey();
      await announce(transition(next));
      await checkin(next);
      const back = transition(box.dikPrivate, { old: next });
      t.match(await announce(back, next), { status: 409, body: { code: 'KEY_IN_USE' } }, 'its own retired one');
    },

    'a box that is re-armed under a key it had before can change that key, and a copy of it is noticed afterwards':
      async (t, start) => {
        const { box, checkin, announce, transition, clock, comesBack, audit } = await world(start);
        const next = newKey();
        await announce(transition(next));
        t.equal((await checkin(next)).status, 200);
        const { approve } = await comesBack(box);
        t.match(await approve(), { status: 200 });
        t.match(await checkin(next), { status: 403, body: { code: 'APPLIANCE_REARMED' } });
        const back = await checkin(box.dikPrivate);
        t.match(back, { status: 200, body: { state: 'active' } });
        const { token: previousToken } = back.body as { token: string };
        const third = newKey();
        t.match(await announce(transition(third)), { status: 200 });
        const changed = await checkin(third, { counter: 2, previousToken });
        t.match(changed, { status: 200, body: { state: 'active' } }, 'not locked out');
        t.match(await checkin(box.dikPrivate), { status: 401, body: { code: 'DIK_RETIRED' } });
        clock.advance(LATE_REQUEST_MS + 60_000);
        t.match(await checkin(box.dikPrivate), { status: 401, body: { code: 'DIK_RETIRED' } });
        t.match((await audit()).at(-1), { action: 'appliance.quarantined' });
      },

    'a copy in quarantine cannot put the key it announced in force, and staff can pick the genuine box': async (
      t,
      start,
    ) => {
      const { box, checkin, announce, audit, transition, admin, siteId, applianceId, clock } = await world(start);
      const stolen = newKey();
      const [genuine, copy] = BOOTS;
      const token = async (answer: ReturnType<typeof checkin>) => ((await answer).body as { token: string }).token;
      const first = await token(checkin(box.dikPrivate, { bootId: genuine }));
      await checkin(box.dikPrivate, { counter: 2, previousToken: first, bootId: genuine });
      t.equal((await announce(transition(stolen))).status, 200);
      const ofCopy = { counter: 2, previousToken: first, bootId: copy };
      t.match(await checkin(stolen, ofCopy), { status: 200, body: { state: 'quarantined' } });
      t.match(await checkin(stolen, ofCopy), { status: 200, body: { state: 'quarantined' } }, 'heard, so staff see it');
      const createdS = Math.floor(clock.nowMs() / 1000);
      t.match(await box.send(BOX_PATHS.orders, { as: stolen, createdS }), {
        status: 403,
        body: { code: 'APPLIANCE_QUARANTINED' },
      });
      const of3 = { counter: 3, previousToken: first, bootId: genuine };
      t.match(await checkin(box.dikPrivate, of3), { status: 200, body: { state: 'quarantined' } }, 'not locked out');
      const body = { applianceId, genuineBootId: genuine };
      t.equal((await admin.call('releaseQuarantine', { params: { siteId }, body })).status, 200);
      const comeFirst = { status: 409, body: { code: 'CHECKIN_FIRST' } };
      t.match(await box.send(BOX_PATHS.orders, { as: stolen, createdS }), comeFirst, 'quicker, and still not it');
      t.match(await announce(transition(newKey())), comeFirst);
      t.match(await checkin(stolen, ofCopy), { status: 200, body: { state: 'quarantined' } });
      t.match(await checkin(box.dikPrivate, of3), { status: 200, body: { state: 'active' } });
      t.match(await announce(transition(newKey())), { status: 403, body: { code: 'APPLIANCE_QUARANTINED' } });
      t.notOk((await audit()).some(({ action }) => action === 'appliance.dik_rotated'));
    },

    'a genuine box that announced its key before the quarantine goes on under it once staff picked it': async (
      t,
      start,
    ) => {
      const { box, checkin, announce, audit, transition, admin, siteId, applianceId } = await world(start);
      const next = newKey();
      const [genuine, copy] = BOOTS;
      const token = async (answer: ReturnType<typeof checkin>) => ((await answer).body as { token: string }).token;
      const first = await token(checkin(box.dikPrivate, { bootId: genuine }));
      const second = await token(checkin(box.dikPrivate, { counter: 2, previousToken: first, bootId: genuine }));
      await announce(transition(next));
      const ofCopy = { counter: 2, previousToken: first, bootId: copy };
      t.match(await checkin(box.dikPrivate, ofCopy), { body: { state: 'quarantined' } });
      const own = { counter: 3, previousToken: second, bootId: genuine };
      t.match(await checkin(next, own), { status: 200, body: { state: 'quarantined' } });
      const body = { applianceId, genuineBootId: genuine };
      t.equal((await admin.call('releaseQuarantine', { params: { siteId }, body })).status, 200);
      t.match(await checkin(box.dikPrivate, ofCopy), { body: { state: 'quarantined' } });
      t.match(await checkin(next, own), { status: 200, body: { state: 'active' } });
      t.match((await audit()).at(-1), { action: 'appliance.dik_rotated' });
      t.match(await checkin(box.dikPrivate, ofCopy), { status: 401, body: { code: 'DIK_RETIRED' } });
    },

    'another choice before the first use takes the place of the first': async (t, start) => {
      const { checkin, announce, transition } = await world(start);
      const [lost, kept] = [newKey(), newKey()];
      await announce(transition(lost));
      await announce(transition(kept));
      t.match(await checkin(lost), { status: 401, body: { code: 'APPLIANCE_UNKNOWN' } });
      t.match(await checkin(kept), { status: 200 });
    },

    'a key announced before a re-arm does not open the box that was re-armed': async (t, start) => {
      const { box, checkin, announce, transition, flashed } = await world(start);
      const stolen = newKey();
      t.match(await announce(transition(stolen)), { status: 200 });
      const { fresh, approve } = await flashed();
      t.match(await approve(), { status: 200 });
      t.match(await checkin(stolen), { status: 403, body: { code: 'APPLIANCE_REARMED' } });
      t.match(await checkin(box.dikPrivate), { status: 403, body: { code: 'APPLIANCE_REARMED' } });
      t.match(await checkin(fresh.dikPrivate), { status: 200, body: { state: 'active' } });
    },

    'a key announced before its box left opens nothing and is told why': async (t, start) => {
      const { checkin, announce, transition, admin, siteId, applianceId } = await world(start);
      const next = newKey();
      await announce(transition(next));
      const left = await admin.call('removeBox', { params: { siteId }, body: { applianceId, reason: 'stolen' } });
      t.equal(left.status, 200);
      t.match(await checkin(next), { status: 403, body: { code: 'APPLIANCE_REMOVED' } });
    },

    'whichever comes first of a re-arm, an announcement and a first use, the re-armed box has its place': async (
      t,
      start,
    ) => {
      const { relay, partnerId, box, applianceId, checkin, announce, transition, flashed } = await world(start);
      let present = box.dikPrivate;
      for (let round = 0; round < 6; round++) {
        const [used, late] = [newKey(), newKey()];
        await announce(transition(used, { old: present }), present);
        const { fresh, approve } = await flashed();
        const [approved] = await Promise.all([
          approve(),
          checkin(used),
          announce(transition(late, { old: present }), present),
        ]);
        t.equal(approved.status, 200);
        for (const key of [used, late, present]) t.not((await checkin(key)).status, 200, 'nobody else gets in');
        const row = await relay.store.inTenant(partnerId, (trx) =>
          trx.selectFrom('appliance').select('dik_fingerprint').where('id', '=', applianceId).executeTakeFirst(),
        );
        t.equal(row?.dik_fingerprint, fresh.fingerprint);
        present = fresh.dikPrivate;
      }
    },

    'many first requests at once under the new key all get in, and the change happens once': async (t, start) => {
      const { box, announce, audit, transition, clock } = await world(start);
      const next = newKey();
      await announce(transition(next));
      const createdS = Math.floor(clock.nowMs() / 1000);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => box.send(BOX_PATHS.orders, { as: next, createdS })),
      );
      t.strictSame([...new Set(answers.map(({ status }) => status))], [200]);
      t.equal((await audit()).filter(({ action }) => action === 'appliance.dik_rotated').length, 1);
    },

    'whoever goes on with a replaced key is a copy: the box is quarantined, but not for a late request': async (
      t,
      start,
    ) => {
      const { box, checkin, announce, audit, transition, clock, admin, siteId, applianceId } = await world(start);
      const next = newKey();
      await announce(transition(next));
      await checkin(next);
      clock.advance(60_000);
      t.match(await checkin(box.dikPrivate), { status: 401, body: { code: 'DIK_RETIRED' } });
      t.notOk(
        (await audit()).some(({ action }) => action === 'appliance.quarantined'),
        'it may have been on its way',
      );
      clock.advance(LATE_REQUEST_MS);
      t.match(await checkin(box.dikPrivate), { status: 401, body: { code: 'DIK_RETIRED' } });
      t.match((await audit()).at(-1), { action: 'appliance.quarantined', detail: /device key that was replaced/ });
      t.match(await checkin(next), { status: 200, body: { state: 'quarantined' } });
      const { items } = (await admin.call('timeline', { params: { siteId } })).body as {
        items: { kind: string; text: string }[];
      };
      t.ok(
        items.some(({ kind, text }) => kind === 'alarm' && /there is a copy/.test(text)),
        'staff are told',
      );
      t.ok(items.some(({ text }) => text === 'The box replaced its device key.'));
      t.match(await announce(transition(newKey(), { old: next }), next), {
        status: 403,
        body: { code: 'APPLIANCE_QUARANTINED' },
      });
      const released = await admin.call('releaseQuarantine', { params: { siteId }, body: { applianceId } });
      t.equal(released.status, 200);
      t.match(await checkin(next, { counter: 9 }), { status: 200, body: { state: 'active' } });
    },

    'a replaced key stops its box once, and not after staff released it': async (t, start) => {
      const { box, checkin, announce, audit, transition, clock, admin, siteId, applianceId } = await world(start);
      const leaked = box.dikPrivate;
      const next = newKey();
      await announce(transition(next));
      await checkin(next);
      clock.advance(LATE_REQUEST_MS + 60_000);
      t.match(await checkin(leaked), { status: 401, body: { code: 'DIK_RETIRED' } });
      await admin.call('releaseQuarantine', { params: { siteId }, body: { applianceId } });
      for (let i = 0; i < 3; i++) t.match(await checkin(leaked), { status: 401, body: { code: 'DIK_RETIRED' } });
      const going = await checkin(next, { counter: 2 });
      t.match(going, { status: 200, body: { state: 'active' } });
      clock.advance(25 * 60 * 60_000);
      await Promise.all([checkin(leaked), checkin(leaked), checkin(leaked)]);
      const previousToken = (going.body as { token: string }).token;
      t.match(await checkin(next, { counter: 3, previousToken }), { status: 200, body: { state: 'active' } });
      t.strictSame(
        (await audit()).map(({ action }) => action).slice(2),
        ['appliance.quarantined', 'appliance.released', 'appliance.retired_key_refused'],
        'written down once a day',
      );
    },

    'a re-arm ends what a replaced key can do': async (t, start) => {
      const { box, checkin, announce, transition, clock, flashed } = await world(start);
      const next = newKey();
      await announce(transition(next));
      await checkin(next);
      clock.advance(LATE_REQUEST_MS + 60_000);
      const { fresh, approve } = await flashed();
      t.match(await approve(), { status: 200 });
      clock.advance(LATE_REQUEST_MS + 60_000);
      for (const key of [box.dikPrivate, next]) {
        t.match(await checkin(key), { status: 403, body: { code: 'APPLIANCE_REARMED' } });
      }
      const createdS = Math.floor(clock.nowMs() / 1000);
      t.match(await fresh.send(BOX_PATHS.checkin, { body: checkinBody(), createdS }), { body: { state: 'active' } });
    },

    'the settings of the box name its new key, and a receipt of before the change is still taken': async (t, start) => {
      const { relay, box, checkin, announce, transition, admin, siteId, applianceId, clock } = await world(start);
      const made = await admin.call('createOrder', { params: { siteId }, body: { action: 'run_check' } });
      const { id: orderId } = made.body as { id: string };
      const next = newKey();
      await announce(transition(next));
      await checkin(next);
      const createdS = Math.floor(clock.nowMs() / 1000);
      const { config } = (await box.send<{ config: string }>(BOX_PATHS.config, { as: next, createdS })).body;
      const payload = JSON.parse(Buffer.from(JSON.parse(config).payload, 'base64').toString('utf8'));
      t.equal(payload.dikFingerprint, fingerprint(rawPublicKey(next)));
      const receipt: ReceiptPayload = {
        applianceId,
        epoch: 1,
        orderId,
        orderSeq: 1,
        state: 'started',
        code: null,
        detail: '',
        atMs: clock.nowMs(),
      };
      const send = (signer: KeyObject, firstSeq: number) =>
        box.send(BOX_PATHS.outbox, {
          raw: outboxBody({ lane: 'receipts', firstSeq, rows: [envelopeOf(signer, PAYLOAD_TYPES.receipt, receipt)] }),
          contentType: 'application/x-ndjson',
          as: next,
          createdS,
        });
      t.match(await send(newKey(), 1), { status: 422, body: { code: 'RECEIPT_INVALID' } }, 'a key it never had');
      t.match(await send(box.dikPrivate, 1), { status: 200, body: { newRows: 1 } }, 'the replaced one');
      t.match(await send(next, 2), { status: 200, body: { newRows: 1 } });
      t.equal(relay.services.boxes.isCached(box.fingerprint), false);
    },
  });
});
