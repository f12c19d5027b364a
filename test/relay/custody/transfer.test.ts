import { verifyReceipt } from '@sitewarden/agent-proto/custody';
import { BOX_PATHS, type CustodyBundle } from '@sitewarden/agent-proto/http';
import t from 'tap';
import { purgeExpired } from '../../../relay/claim/purge.ts';
import { onBothRelays } from '../../helpers/both-relays.ts';
import { readQr } from '../../helpers/box.ts';
import { leavingBox } from '../../helpers/leave.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';
import { rootPublicKeyOf } from '../../helpers/root-key.ts';
import { type CustodyAnswer as View, transferWorld as world } from '../../helpers/transfer.ts';

await onBothRelays(t, {
  'a box that is moved closes its log and is at the other site with its next epoch, and both sites have a receipt':
    async (t, start) => {
      const world_ = await world(start);
      const { relay, siteId, toSiteId, admin, box, applianceId, host, transfer, custody, leaving, leave } = world_;
      leaving.log.append(3);
      await leaving.deliver();
      t.match((await transfer()).body.release, { state: 'ordered', to: { siteId: toSiteId, siteName: 'Hill road' } });
      t.match(await leave(), { to: { siteId: toSiteId, siteName: 'Hill road' } }, 'signed for the box to read');
      t.match((await custody(toSiteId)).arriving, [{ serial: box.serial, fromSiteName: 'Main street' }]);

      const { session } = (await box.start()).body;
      const { state, grant } = (await box.status(session)).body;
      t.equal(state, 'approved', 'nobody has to be there');
      t.match(grant, { siteId: toSiteId, siteName: 'Hill road', epoch: 2 });
      t.not(grant?.applianceId, applianceId);
      t.match(grant?.previous, { origin: `${host}/a/${applianceId}/1`, epoch: 1, size: 4 });
      t.match((await box.status(session)).body.grant?.previous, grant?.previous, 'asked again it is the same');
      t.equal((await box.ack(session, grant?.applianceId ?? '')).status, 200);
      const there = leavingBox(box, { host, applianceId: grant?.applianceId ?? '', epoch: 2 });
      t.match(await there.checkin(), { status: 200, body: { state: 'active' } });
      there.log.append(1);
      await there.deliver();
      t.same((await custody(toSiteId)).arriving, []);
      t.match((await admin.call('site', { params: { siteId } })).body, { appliance: null });

      const [given] = (await custody()).receipts;
      const [taken] = (await custody(toSiteId)).receipts;
      t.match(given, { kind: 'released', siteName: 'Main street', counterpart: { siteName: 'Hill road' } });
      t.match(taken, { kind: 'received', siteName: 'Hill road', counterpart: { siteName: 'Main street' } });
      t.match(taken?.previous, { origin: given?.log.origin, size: given?.log.size, rootHash: given?.log.rootHash });
      const rootKey = await rootPublicKeyOf(relay.dataDir);
      for (const one of [given, taken]) {
        const params = { receiptId: one?.receiptId ?? '' };
        const { bundle } = (await admin.call<{ bundle: CustodyBundle }>('receipt', { params })).body;
        t.match(verifyReceipt(bundle, rootKey), { ok: true });
      }
    },

  'only an admin moves a box, and only to a site of the same company that has none': async (t, start) => {
    const { relay, partnerId, siteId, admin, transfer } = await world(start);
    for (const role of ['operator', 'readonly', 'technician'] as const) {
      t.equal((await transfer({}, await relay.staff(partnerId, role))).status, 403, role);
    }
    t.match(await transfer({ toSiteId: siteId }), { status: 404, body: { code: 'NOT_FOUND' } });
    const otherId = await seedPartner(relay.store, 'Other MSP');
    const { siteId: foreign } = await seedSite(relay.store, otherId, 'Foreign');
    t.match(await transfer({ toSiteId: foreign }), { status: 404, body: { code: 'NOT_FOUND' } });
    const { siteId: taken } = await seedSite(relay.store, partnerId, 'Taken');
    await relay.claim(admin, taken);
    t.match(await transfer({ toSiteId: taken }), { status: 409, body: { code: 'TRANSFER_SITE_TAKEN' } });
    t.equal((await transfer()).status, 200);
    t.match(await transfer(), { status: 409, body: { code: 'RELEASE_WAITS' } });
  },

  'taken back in time the box stays where it is': async (t, start) => {
    const { siteId, toSiteId, admin, box, transfer, custody, leaving } = await world(start);
    const { release } = (await transfer()).body;
    const undo = { params: { siteId }, body: { releaseId: release?.id } };
    t.match(await admin.call('withdrawRelease', undo), { status: 200, body: { release: null } });
    t.match(await box.send(BOX_PATHS.release), { status: 404, body: { code: 'RELEASE_NONE' } });
    t.match(await leaving.checkin(), { status: 200 });
    t.same((await custody(toSiteId)).arriving, []);
  },

  'a site that got another box meanwhile is asked first, and the log goes on after the answer': async (t, start) => {
    const { relay, toSiteId, admin, box, transfer, leave } = await world(start);
    await transfer();
    await leave();
    const { applianceId: inTheWay } = await relay.claim(admin, toSiteId);
    const { session } = (await box.start()).body;
    const waiting = (await box.status(session)).body;
    t.match(waiting, { state: 'claimed', grant: undefined });
    const approve = { params: { session }, body: { number: waiting.number, replaces: inTheWay } };
    t.match(await admin.call('approveClaim', approve), { status: 200, body: { state: 'approved' } });
    t.match((await box.status(session)).body.grant, { siteId: toSiteId, epoch: 2, previous: { size: 1 } });
  },

  'two boxes cannot be told to move to one site, also not at once': async (t, start) => {
    const { relay, partnerId, siteId, toSiteId, admin, applianceId } = await world(start);
    const { siteId: secondSite } = await seedSite(relay.store, partnerId, 'Second');
    const second = await relay.claim(admin, secondSite);
    const order = (from: string, id: string) =>
      admin.call<View>('transferBox', {
        params: { siteId: from },
        body: { applianceId: id, reason: 'moves', toSiteId },
      });
    const answers = await Promise.all([order(siteId, applianceId), order(secondSite, second.applianceId)]);
    t.same(answers.map(({ status }) => status).sort(), [200, 409]);
    t.match(
      answers.find(({ status }) => status === 409),
      { body: { code: 'TRANSFER_SITE_TAKEN' } },
    );
    const [first] = answers;
    const [at, other] = first?.status === 200 ? [siteId, secondSite] : [secondSite, siteId];
    const { release } = (await admin.call<View>('custody', { params: { siteId: at } })).body;
    await admin.call('withdrawRelease', { params: { siteId: at }, body: { releaseId: release?.id } });
    const again = await order(other, other === siteId ? applianceId : second.applianceId);
    t.equal(again.status, 200, 'taken back it makes room');
  },

  'a person ends a move: the box is free and shows its code, and its place is free for another': async (t, start) => {
    const world_ = await world(start);
    const { relay, partnerId, siteId, toSiteId, admin, box, transfer, custody, leave, transferTo } = world_;
    await transfer();
    await leave();
    const [{ dikFingerprint } = { dikFingerprint: '' }] = (await custody(toSiteId)).arriving;
    t.equal(dikFingerprint, box.fingerprint);
    const cancel = (at: string, who = admin) =>
      who.call<View>('cancelMove', { params: { siteId: at }, body: { dikFingerprint } });
    for (const role of ['operator', 'readonly', 'technician'] as const) {
      t.equal((await cancel(toSiteId, await relay.staff(partnerId, role))).status, 403, role);
    }
    const stranger = await relay.staff(await seedPartner(relay.store, 'Other MSP'), 'admin');
    t.equal((await cancel(toSiteId, stranger)).status, 404);
    t.match(await cancel(siteId), { status: 404, body: { code: 'NOT_FOUND' } }, 'it is not on its way there');
    t.match(await cancel(toSiteId), { status: 200, body: { arriving: [] } });
    t.match(await cancel(toSiteId), { status: 404, body: { code: 'NOT_FOUND' } });
    const { session } = (await box.start()).body;
    t.match((await box.status(session)).body, { state: 'started' });
    const noted = await relay.store.inTenant(partnerId, (trx) =>
      trx.selectFrom('audit_event').select('ref').where('action', '=', 'box.move_cancelled').execute(),
    );
    t.same(noted, [{ ref: toSiteId }]);
    const { siteId: from } = await seedSite(relay.store, partnerId, 'From');
    t.ok(await transferTo(from, toSiteId), 'another box is told to move there');
  },

  'a claim that waits for a person ends with its move, and the move with its claim': async (t, start) => {
    const { relay, partnerId, admin, custody, transferTo } = await world(start);
    for (const way of ['rejectClaim', 'cancelMove'] as const) {
      const { siteId: from } = await seedSite(relay.store, partnerId, `From ${way}`);
      const { siteId: to } = await seedSite(relay.store, partnerId, `To ${way}`);
      const moved = await transferTo(from, to);
      await relay.claim(admin, to);
      const { session } = (await moved.start()).body;
      t.match((await moved.status(session)).body, { state: 'claimed' });
      const seen = await admin.call('claimSession', { params: { session } });
      t.match(seen.body, { waitsBecause: 'site_has_box' });
      const ended =
        way === 'rejectClaim'
          ? await admin.call(way, { params: { session } })
          : await admin.call(way, { params: { siteId: to }, body: { dikFingerprint: moved.fingerprint } });
      t.equal(ended.status, 200, way);
      t.match((await moved.status(session)).body, { state: 'rejected' });
      t.same((await custody(to)).arriving, []);
      const again = (await moved.start()).body.session;
      t.match((await moved.status(again)).body, { state: 'started' }, 'it shows its code again');
    }
  },

  'on its way it is nobody else’s, and what was ordered ends after thirty days': async (t, start) => {
    const { relay, box, transfer, leave } = await world(start);
    await transfer();
    await leave();
    const otherId = await seedPartner(relay.store, 'Other MSP');
    const { siteId: elsewhere } = await seedSite(relay.store, otherId, 'Elsewhere');
    const other = await relay.staff(otherId, 'admin', 'Bo Lind');
    const code = await other.call<{ url: string }>('createCode', {
      body: { siteId: elsewhere, preApproved: true },
    });
    const presented = await box.presentQr(readQr(code.body.url).secret);
    t.match(presented, { status: 409, body: { code: 'BOX_CLAIMED_ELSEWHERE' } });
    t.same((await other.call<View>('custody', { params: { siteId: elsewhere } })).body.arriving, []);

    await purgeExpired(relay.store, Date.now() + 31 * 24 * 3_600_000);
    const { session } = (await box.start()).body;
    t.match((await box.status(session)).body, { state: 'started' }, 'it shows its code like any free box');
  },
});
