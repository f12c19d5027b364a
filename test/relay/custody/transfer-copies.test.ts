import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import { sql } from 'kysely';
import t from 'tap';
import type { Store, Tx } from '../../../relay/store/index.ts';
import { insertArrival } from '../../../relay/store/repositories/arrivals.ts';
import { lockClaim } from '../../../relay/store/repositories/claims.ts';
import { moveRelease } from '../../../relay/store/repositories/custody.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { readQr, TestBox } from '../../helpers/box.ts';
import { leavingBox } from '../../helpers/leave.ts';
import { seedSite } from '../../helpers/relay.ts';
import { transferWorld } from '../../helpers/transfer.ts';

interface ClaimAnswer {
  state: string;
  disputed: boolean;
  waitsBecause: string | null;
  replaces: { applianceId: string } | null;
  code?: string;
}

/** A machine that has the device key of a box, and says `like` of itself. */
async function copyOf(relayUrl: string, box: TestBox, like: { seal?: string; serial?: string }): Promise<TestBox> {
  const copy = await TestBox.make(relayUrl, like.serial ?? 'THIEF99');
  const keys = { ...copy.keys, dik: box.keys.dik, ...(like.seal !== undefined && { seal: like.seal }) };
  const { dikPrivate, fingerprint } = box;
  return Object.assign(copy, { keys, dikPrivate, fingerprint });
}

async function onItsWay(start: Start) {
  const world = await transferWorld(start);
  const { relay, partnerId, admin, transfer, leave } = world;
  await transfer();
  await leave();
  const claim = async (session: string) =>
    (await admin.call<ClaimAnswer>('claimSession', { params: { session } })).body;
  const audit = (action: string) =>
    relay.store.inTenant(partnerId, (trx) =>
      trx.selectFrom('audit_event').select(['ref', 'actor']).where('action', '=', action).execute(),
    );
  const standsAs = async (siteId: string) => {
    const { appliance } = (await admin.call<{ appliance: { state: string } | null }>('site', { params: { siteId } }))
      .body;
    return appliance?.state ?? null;
  };
  return { ...world, claim, audit, standsAs };
}

await onBothRelays(t, {
  'who has the device key alone takes no move: the claim waits for a person and says why': async (t, start) => {
    const { relay, partnerId, toSiteId, box, claim, standsAs } = await onItsWay(start);
    for (const like of [{}, { serial: box.serial }, { seal: box.keys.seal }]) {
      const thief = await copyOf(relay.url, box, like);
      const { session } = (await thief.start()).body;
      const { state, grant } = (await thief.status(session)).body;
      t.match({ state, grant }, { state: 'claimed', grant: undefined }, JSON.stringify(like));
      t.match(await claim(session), { state: 'claimed', waitsBecause: 'other_facts', replaces: null });
      t.equal(await standsAs(toSiteId), null);
      // The order is made anew for the next of them.
      const forget = { state: 'rejected' };
      await relay.store.inTenant(partnerId, (trx) =>
        trx.updateTable('provision_session').set(forget).where('id', '=', session).execute(),
      );
    }
  },

  'a box that really has another seal key is let in by a person, and its log goes on': async (t, start) => {
    const { relay, toSiteId, admin, box, claim } = await onItsWay(start);
    const mended = await copyOf(relay.url, box, { serial: box.serial });
    const { session } = (await mended.start()).body;
    const { number } = (await mended.status(session)).body;
    const approve = { params: { session }, body: { number } };
    t.match(await admin.call('approveClaim', approve), { status: 200, body: { state: 'approved' } });
    t.match((await mended.status(session)).body.grant, { siteId: toSiteId, epoch: 2, previous: { size: 1 } });
    t.match(await claim(session), { waitsBecause: null });
  },

  'a second start while the claim waits is a dispute, which blocks until a person ends the move': async (t, start) => {
    const { relay, toSiteId, admin, box, claim, audit, custody } = await onItsWay(start);
    const thief = await copyOf(relay.url, box, {});
    const stolen = (await thief.start()).body.session;
    const { number } = (await thief.status(stolen)).body;
    t.equal((await claim(stolen)).disputed, false);

    const { session } = (await box.start()).body;
    t.match((await box.status(session)).body, { state: 'started', grant: undefined }, 'nobody knows which one it is');
    t.equal((await claim(stolen)).disputed, true);
    t.match(await audit('claim.disputed'), [{ ref: stolen, actor: 'box' }]);
    const approve = { params: { session: stolen }, body: { number } };
    t.match(await admin.call('approveClaim', approve), { status: 409, body: { code: 'CLAIM_DISPUTED' } });

    t.match(await admin.call('rejectClaim', { params: { session: stolen } }), { status: 200 });
    t.same((await custody(toSiteId)).arriving, []);
    const again = (await box.start()).body;
    const shown = (await box.status(again.session)).body;
    t.match(shown, { state: 'started' }, 'it shows its code');
    const body = { ...readQr(again.claimUrl), siteId: toSiteId, number: shown.number };
    t.match(await admin.call('claimBox', { params: { session: again.session }, body }), { status: 200 });
    t.match((await box.status(again.session)).body, { state: 'approved', grant: { siteId: toSiteId } });
  },

  'a second start before the first check-in stops the box that arrived; afterwards it stops nothing': async (
    t,
    start,
  ) => {
    const { relay, siteId, toSiteId, admin, box, host, claim, audit, standsAs } = await onItsWay(start);
    const { session } = (await box.start()).body;
    const { grant } = (await box.status(session)).body;
    t.ok(grant);
    const applianceId = grant?.applianceId ?? '';
    await box.ack(session, applianceId);
    t.equal(await standsAs(toSiteId), 'active');

    // It has every key of the box: only that there are two tells.
    const copy = await copyOf(relay.url, box, { serial: box.serial, seal: box.keys.seal });
    const second = (await copy.start()).body.session;
    t.match((await copy.status(second)).body, { state: 'started', grant: undefined });
    t.equal(await standsAs(toSiteId), 'quarantined');
    t.equal((await claim(session)).disputed, true);
    t.match(await audit('claim.disputed'), [{ ref: session }]);
    t.match(await audit('appliance.quarantined'), [{ ref: toSiteId }]);
    t.match(await box.send(BOX_PATHS.release), { status: 403, body: { code: 'APPLIANCE_QUARANTINED' } });

    const release = { params: { siteId: toSiteId }, body: { applianceId } };
    t.equal((await admin.call('releaseQuarantine', release)).status, 200);
    t.match(await leavingBox(box, { host, applianceId, epoch: 2 }).checkin(), { status: 200 });
    await copy.start();
    t.equal(await standsAs(toSiteId), 'active');
    t.equal(await standsAs(siteId), null);
  },

  'a moved box takes no place of another one that has its serial number': async (t, start) => {
    const { relay, siteId, toSiteId, admin, box, transfer, custody, leave } = await transferWorld(start);
    await transfer();
    await leave();
    const other = await relay.claim(admin, toSiteId, box.serial);
    const { session } = (await box.start()).body;
    const { number, state } = (await box.status(session)).body;
    t.equal(state, 'claimed');
    const approve = { params: { session }, body: { number, replaces: other.applianceId } };
    t.match(await admin.call('approveClaim', approve), { status: 200 });
    const { grant } = (await box.status(session)).body;
    t.not(grant?.applianceId, other.applianceId);
    t.match(grant, { epoch: 2, previous: { size: 1 } });
    const kinds = (await custody(toSiteId)).receipts.map(({ kind }) => kind);
    t.same(kinds.sort(), ['received', 'received', 'removed']);
    t.match((await custody(siteId)).receipts, [{ kind: 'released' }]);
  },

  'of a moved box and one that is claimed for the same site at once, none pushes the other out': async (t, start) => {
    const { relay, partnerId, admin, transferTo } = await transferWorld(start);
    for (let round = 0; round < 6; round += 1) {
      const { siteId: from } = await seedSite(relay.store, partnerId, `From ${round}`);
      const { siteId: to } = await seedSite(relay.store, partnerId, `To ${round}`);
      const moved = await transferTo(from, to);
      const { session } = (await moved.start()).body;
      const third = await relay.box();
      const shown = (await third.start()).body;
      const { number } = (await third.status(shown.session)).body;
      const body = { ...readQr(shown.claimUrl), siteId: to, number };
      const [status, claimed] = await Promise.all([
        moved.status(session),
        admin.call<ClaimAnswer>('claimBox', { params: { session: shown.session }, body }),
      ]);
      const boxes = await relay.store.inTenant(partnerId, (trx) =>
        trx.selectFrom('appliance').select(['serial', 'state']).where('site_id', '=', to).execute(),
      );
      t.equal(boxes.length, 1, 'one came, and none left');
      const isMoved = boxes[0]?.serial === moved.serial;
      t.match(boxes, [{ serial: isMoved ? moved.serial : third.serial, state: 'active' }]);
      t.equal(status.body.state, isMoved ? 'approved' : 'claimed');
      t.match(claimed, isMoved ? { status: 409, body: { code: 'REPLACEMENT_NOT_CONFIRMED' } } : { status: 200 });
    }
  },

  'no second box is told to move to a site while the first one is just leaving for it': async (t, start) => {
    const { relay, partnerId, admin, siteId, toSiteId, box, applianceId, transfer, custody } =
      await transferWorld(start);
    const { siteId: secondSite } = await seedSite(relay.store, partnerId, 'Second');
    const second = await relay.claim(admin, secondSite);
    t.equal((await transfer()).status, 200);
    const releaseId = (await custody(siteId)).release?.id ?? '';
    const order = () =>
      admin.call('transferBox', {
        params: { siteId: secondSite },
        body: { applianceId: second.applianceId, reason: 'moves', toSiteId },
      });
    // The first box's last word, held before its commit where the engine lets somebody else look meanwhile.
    const held = await holdTransaction(relay.store, partnerId, async (trx) => {
      if (relay.store.kind === 'postgres') await sql`LOCK TABLE box_release IN ACCESS EXCLUSIVE MODE`.execute(trx);
      await moveRelease(trx, { id: releaseId, appliance_id: applianceId }, { to: 'closed', atMs: Date.now() });
      const place = { partner_id: partnerId, site_id: toSiteId, from_appliance: applianceId, from_site_name: 'Main' };
      const who = { fingerprint: box.fingerprint, serial: box.serial, ordered_by: 'Ada Moreno', at_ms: Date.now() };
      await insertArrival(trx, { ...place, ...who });
    });
    const late = order();
    await Promise.race([late, held.untilWaiting(1)]);
    await held.release();
    t.match(await late, { status: 409, body: { code: 'TRANSFER_SITE_TAKEN' } });
  },

  'of two claims of one site that are approved at once one is asked which box may go': async (t, start) => {
    const { relay, partnerId, admin, toSiteId: siteId } = await transferWorld(start);
    const operator = await relay.staff(partnerId, 'operator');
    const waiting = async () => {
      const box = await relay.box();
      const { session, claimUrl } = (await box.start()).body;
      const { number } = (await box.status(session)).body;
      const body = { ...readQr(claimUrl), siteId, number };
      t.match(await operator.call('claimBox', { params: { session }, body }), { body: { state: 'claimed' } });
      return { session, approve: () => admin.call('approveClaim', { params: { session }, body: { number } }) };
    };
    const [first, second] = [await waiting(), await waiting()];
    const held = await holdClaim(relay.store, partnerId, first.session);
    const early = first.approve();
    await held.untilWaiting(1);
    // It waits too, or is done: nobody may overtake who has begun to look at the site.
    const late = second.approve();
    await Promise.race([late, held.untilWaiting(2)]);
    await held.release();
    const answers = await Promise.all([early, late]);
    t.same(answers.map(({ status }) => status).sort(), [200, 409]);
    const refused = answers.find(({ status }) => status === 409);
    t.match(refused, { body: { code: 'REPLACEMENT_NOT_CONFIRMED' } });
  },
});

/** Keeps the row of a claim, so that its approval stops in the middle. */
function holdClaim(store: Store, partnerId: string, session: string) {
  return holdTransaction(store, partnerId, async (trx) => {
    if (store.kind === 'postgres') await lockClaim(trx, session);
  });
}

/** Does `work` and commits it at `release`. SQLite has one writer, where nothing is in the middle: it is committed at once. */
async function holdTransaction(store: Store, partnerId: string, work: (trx: Tx) => Promise<void>) {
  if (store.kind === 'sqlite') {
    await store.inTenant(partnerId, work);
    return { untilWaiting: async () => {}, release: async () => {} };
  }
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  const { promise: isHeld, resolve: hold, reject: fail } = Promise.withResolvers<void>();
  const holding = store.inTenant(partnerId, async (trx) => {
    await work(trx);
    hold();
    await isReleased;
  });
  holding.catch(fail);
  await isHeld;
  let isOver = false;
  return {
    async untilWaiting(count: number) {
      const endMs = Date.now() + 30_000;
      while (!isOver) {
        const waiting = await store.system((trx) =>
          sql<{ pid: number }>`SELECT pid FROM pg_stat_activity WHERE datname = current_database()
            AND wait_event_type = 'Lock'`.execute(trx),
        );
        if (waiting.rows.length >= count) return;
        if (Date.now() > endMs) throw new Error(`fewer than ${count} transactions wait`);
      }
    },
    async release() {
      isOver = true;
      release();
      await holding;
    },
  };
}
