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
