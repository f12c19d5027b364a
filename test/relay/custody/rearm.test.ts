import { verifyReceipt } from '@sitewarden/agent-proto/custody';
import { BOX_PATHS, type CustodyBundle, type CustodyReceipt } from '@sitewarden/agent-proto/http';
import t, { type Test } from 'tap';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { readQr } from '../../helpers/box.ts';
import { leavingBox } from '../../helpers/leave.ts';
import { seedPartner, seedSite, testClock } from '../../helpers/relay.ts';
import { rootPublicKeyOf } from '../../helpers/root-key.ts';

interface Rearms {
  rearms: {
    session: string;
    siteId: string;
    applianceId: string;
    serial: string;
    triesLeft: number;
    number?: string;
  }[];
  more: number;
}

async function world(_t: Test, start: Start, options: Parameters<Start>[0] = {}) {
  const relay = await start(options);
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const { box: old, applianceId } = await relay.claim(admin, siteId);
  const { host } = relay.services.keys;
  const before = leavingBox(old, { host, applianceId });
  before.log.append(3);
  await before.deliver();
  await before.checkin();
  /** The same machine, flashed anew: its serial number and new keys. */
  const flashed = async (serial = old.serial) => {
    const box = await relay.box(serial);
    const { session, claimUrl } = (await box.start()).body;
    const { number } = (await box.status(session)).body;
    return { box, session, claimUrl, number };
  };
  const rearms = async () => (await admin.call<Rearms>('rearms')).body.rearms;
  const approve = (session: string, number: string, who = admin, id = applianceId) =>
    who.call<{ code?: string; siteId?: string; applianceId?: string }>('rearmBox', {
      params: { session },
      body: { applianceId: id, number },
    });
  return { relay, partnerId, siteId, admin, old, applianceId, before, flashed, rearms, approve, host };
}

await onBothRelays(t, {
  'a box that was flashed anew asks for its place and goes on in its next epoch': async (t, start) => {
    const { relay, partnerId, siteId, admin, applianceId, before, flashed, rearms, approve, host } = await world(
      t,
      start,
    );
    t.same(await rearms(), []);
    await relay.box().then((other) => other.start());
    const { box, session, number } = await flashed();
    const listed = await rearms();
    t.match(listed, [{ session, siteId, serial: box.serial, triesLeft: 5 }]);
    t.notOk(Object.hasOwn(listed[0] ?? {}, 'number'), 'the number is read off the box, not off the page');
    const operator = await relay.staff(partnerId, 'operator');
    t.equal((await approve(session, number, operator)).status, 403);
    t.match(await approve(session, number), { status: 200, body: { applianceId, siteId } });
    t.same(await rearms(), []);

    const { grant } = (await box.status(session)).body;
    const cosigned = before.log.checkpoint();
    t.match(grant, { applianceId, epoch: 2, previous: { epoch: 1, size: 3, rootHash: /^[0-9a-f]{64}$/ } });
    t.ok(cosigned);
    await box.ack(session, applianceId);
    const after = leavingBox(box, { host, applianceId, epoch: 2 });
    t.match(await after.checkin(), { status: 200, body: { state: 'active' } });
    after.log.append(2);
    await after.deliver();
    t.match(await before.checkin(), { status: 403, body: { code: 'APPLIANCE_REARMED', message: /copy/ } });
    t.match((await admin.call('site', { params: { siteId } })).body, { appliance: { id: applianceId, epoch: 2 } });

    const { receipts } = (await admin.call<{ receipts: CustodyReceipt[] }>('custody', { params: { siteId } })).body;
    t.match(receipts, [
      {
        kind: 'rearmed',
        box: { epoch: 1 },
        log: { size: 3 },
        next: { epoch: 2, dik: box.keys.dik, evk: box.keys.evk },
      },
    ]);
    const params = { receiptId: (receipts[0] as CustodyReceipt).receiptId };
    const { bundle } = (await admin.call<{ bundle: CustodyBundle }>('receipt', { params })).body;
    const rootKey = await rootPublicKeyOf(relay.dataDir);
    t.match(verifyReceipt(bundle, rootKey), { ok: true });
    const { receipt } = bundle;
    const payload = Buffer.from((JSON.parse(receipt) as { payload: string }).payload, 'base64').toString();
    const forged = receipt.replace(
      Buffer.from(payload).toString('base64'),
      Buffer.from(payload.replace('"size":3', '"size":2')).toString('base64'),
    );
    t.not(forged, receipt);
    t.match(verifyReceipt({ ...bundle, receipt: forged }, rootKey), { ok: false, check: /config key/ });
    t.match(verifyReceipt(bundle, box.keys.dik), { ok: false, check: /root key/ });
  },

  'a code or a scan for the site re-arms the box of that serial number too': async (t, start) => {
    const { siteId, admin, applianceId, flashed } = await world(t, start);
    const { box, session, claimUrl, number } = await flashed();
    const body = { ...readQr(claimUrl), siteId, number, replaces: applianceId };
    t.match(await admin.call('claimBox', { params: { session }, body }), { status: 200, body: { applianceId } });
    t.match((await box.status(session)).body, { grant: { applianceId, epoch: 2 } });
  },

  'a number that is not on the box opens nothing, and five of them close the request': async (t, start) => {
    const { before, flashed, rearms, approve } = await world(t, start);
    const { session, number } = await flashed();
    const wrong = number === '00000000' ? '11111111' : '00000000';
    const answers = await Promise.all(Array.from({ length: 9 }, () => approve(session, wrong)));
    const count = (code: string) => answers.filter(({ body }) => body.code === code).length;
    t.same([count('NUMBER_MISMATCH'), count('REARM_LOCKED')], [5, 4], 'as many at once as one after the other');
    t.match(await approve(session, number), { status: 429, body: { code: 'REARM_LOCKED' } });
    t.match(await rearms(), [{ triesLeft: 0 }]);
    t.equal((await before.checkin()).status, 200, 'the box of the site is not touched');
    const again = await flashed();
    t.equal((await approve(again.session, again.number)).status, 200, 'a box that starts again shows a new number');
  },

  'two people who approve at once make one epoch': async (t, start) => {
    const { relay, partnerId, flashed, approve } = await world(t, start);
    const second = await relay.staff(partnerId, 'admin', 'Bo');
    const { box, session, number } = await flashed();
    const answers = await Promise.all([approve(session, number), approve(session, number, second)]);
    t.same(answers.filter(({ status }) => status === 200).length, 1);
    t.match((await box.status(session)).body, { grant: { epoch: 2 } });
  },

  'a box that asks is found among many that make up its serial number': async (t, start) => {
    const { relay, admin, rearms, flashed, approve } = await world(t, start, { limits: { claimsPerMinute: 300 } });
    const first = await flashed();
    for (let i = 0; i < 20; i++) await flashed();
    t.ok(
      (await rearms()).some(({ session }) => session === first.session),
      'the one that asked first stays',
    );
    t.equal((await rearms()).length, 5, 'of one address five are listed');
    // The test has one address; the requests so far are given another one.
    await relay.store.system((trx) => trx.updateTable('box_offer').set({ address: '203.0.113.9' }).execute());
    const elsewhere = await flashed();
    t.ok(
      (await rearms()).some(({ session }) => session === elsewhere.session),
      'and those of one address put no other aside',
    );
    for (let i = 0; i < 4; i++) await flashed();
    const late = await flashed();
    const { body } = await admin.call<Rearms>('rearms');
    t.match(body, { more: 17 });
    t.notOk(body.rearms.some(({ session }) => session === late.session));
    const search = (who = admin) => who.call<Rearms>('findRearm', { body: { number: late.number } });
    const found = await search();
    t.match(found.body, { rearms: [{ session: late.session }], more: 0 });
    t.equal(found.body.rearms.length, 1);
    const stranger = await relay.staff(await seedPartner(relay.store, 'Other'), 'admin');
    t.match((await search(stranger)).body, { rearms: [], more: 0 });
    t.notOk(JSON.stringify(found.body).includes(late.number), 'the number is not told back');
    const { number } = late;
    await relay.store.system((trx) =>
      trx.updateTable('box_offer').set({ number }).where('id', '=', first.session).execute(),
    );
    t.match(await approve(late.session, number), { status: 409, body: { code: 'REARM_AMBIGUOUS' } });
    t.match(await approve(first.session, number), { status: 409, body: { code: 'REARM_AMBIGUOUS' } });
    await relay.store.system((trx) =>
      trx.updateTable('box_offer').set({ number: null }).where('id', '=', first.session).execute(),
    );
    t.equal((await approve(late.session, late.number)).status, 200);
  },

  'other companies do not see who asks, and cannot take the box': async (t, start) => {
    const { relay, flashed, approve } = await world(t, start);
    const stranger = await relay.staff(await seedPartner(relay.store, 'Other'), 'admin');
    const { session, number } = await flashed();
    t.match((await stranger.call<Rearms>('rearms')).body, { rearms: [] });
    t.match(await approve(session, number, stranger), { status: 404, body: { code: 'SESSION_UNKNOWN' } });
  },

  'another company with a box of the same serial number sees who asks, and neither its number nor its tries': async (
    t,
    start,
  ) => {
    const { relay, flashed, rearms, approve, old } = await world(t, start);
    const otherId = await seedPartner(relay.store, 'Other');
    const { siteId: elsewhere } = await seedSite(relay.store, otherId, 'Elsewhere');
    const stranger = await relay.staff(otherId, 'admin');
    const { applianceId: theirs } = await relay.claim(stranger, elsewhere, old.serial);
    const { session, number } = await flashed();
    t.match((await stranger.call<Rearms>('rearms')).body, { rearms: [{ session, applianceId: theirs }] });
    t.match(await stranger.call('claimSession', { params: { session } }), {
      status: 404,
      body: { code: 'SESSION_UNKNOWN' },
    });
    const wrong = number === '00000000' ? '11111111' : '00000000';
    for (let i = 0; i < 5; i++) {
      t.match((await approve(session, wrong, stranger, theirs)).body, { code: 'NUMBER_MISMATCH' });
    }
    t.match((await approve(session, wrong, stranger, theirs)).body, { code: 'REARM_LOCKED' });
    t.match((await stranger.call<Rearms>('rearms')).body, { rearms: [{ triesLeft: 0 }] });
    t.match(await rearms(), [{ session, triesLeft: 5 }]);
    t.equal((await approve(session, number)).status, 200, 'theirs are used up, ours are not');
  },

  'of two sites with boxes of one serial number, the one that was looked at has its box back': async (t, start) => {
    const { relay, partnerId, siteId, admin, old, applianceId, before, flashed, approve } = await world(t, start);
    const { siteId: second } = await seedSite(relay.store, partnerId, 'Two');
    const { box: other, applianceId: otherId } = await relay.claim(admin, second, old.serial);
    const { session, number } = await flashed();
    const at = async (site: string) =>
      (await admin.request<Rearms>('GET', `/api/provision/rearms?siteId=${site}`)).body.rearms;
    t.match(await at(siteId), [{ session, applianceId }]);
    t.match(await at(second), [{ session, applianceId: otherId }]);
    t.match(await approve(session, number, admin, `app_${'a'.repeat(26)}`), { status: 404 });
    t.match(await approve(session, number, admin, otherId), {
      status: 200,
      body: { siteId: second, applianceId: otherId },
    });
    t.equal((await before.checkin()).status, 200, 'the box of the first site goes on');
    t.match(await other.send(BOX_PATHS.orders), { status: 403, body: { code: 'APPLIANCE_REARMED' } });
  },

  'who guesses numbers by searching is stopped, and so are all of a company together': async (t, start) => {
    const clock = testClock();
    const { relay, partnerId, admin, flashed } = await world(t, start, { clock });
    const { session, number } = await flashed();
    const guesses = Array.from({ length: 12 }, (_, index) => String(10_000_000 + index)).filter((g) => g !== number);
    const people = await Promise.all(['Bo', 'Cy', 'Di'].map((name) => relay.staff(partnerId, 'operator', name)));
    for (const one of people) {
      const answers = [];
      for (const guess of guesses.slice(0, 11)) answers.push(await one.call('findRearm', { body: { number: guess } }));
      t.same(
        answers.map(({ status }) => status),
        [...Array.from({ length: 10 }, () => 200), 429],
      );
      t.match(answers.at(-1), { body: { code: 'RATE_LIMITED' } });
    }
    t.match(await admin.call('findRearm', { body: { number } }), { status: 429 }, 'ten each of three people are all');
    t.equal((await admin.request('GET', `/api/provision/rearms?number=${number}`)).status, 400, 'not in an address');
    const otherId = await seedPartner(relay.store, 'Other');
    const elsewhere = await relay.staff(otherId, 'operator');
    t.match(await elsewhere.call<Rearms>('findRearm', { body: { number } }), { status: 200, body: { rearms: [] } });
    t.match((await admin.call<Rearms>('rearms')).body, { rearms: [{ session }] });
    clock.advance(20_000);
    t.match((await admin.call<Rearms>('findRearm', { body: { number } })).body, { rearms: [{ session }] }, 'later');
    t.match(await (people[0] ?? admin).call('findRearm', { body: { number } }), { status: 429 });
  },

  'a box under its old key that is back while a re-arm is approved is not in between': async (t, start) => {
    const { before, old, flashed, approve } = await world(t, start);
    const { session, number } = await flashed();
    const [, approved] = await Promise.all([before.checkin(), approve(session, number)]);
    t.equal(approved.status, 200);
    t.match(await before.checkin(), { status: 403, body: { code: 'APPLIANCE_REARMED' } });
    t.match(await old.send(BOX_PATHS.orders), { status: 403 });
  },
});
