import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import t, { type Test } from 'tap';
import { readQr } from '../../helpers/box.ts';
import { giveAllSites, seedPartner, seedSite, startTestRelay } from '../../helpers/relay.ts';

interface View {
  state: string;
  replaces: { applianceId: string; serial: string; lastCheckinAtMs: number | null } | null;
}
const NOT_CONFIRMED = { status: 409, body: { code: 'REPLACEMENT_NOT_CONFIRMED', field: '/replaces' } };
const ANOTHER = `app_${'a'.repeat(26)}`;

/** A site with a box in service. */
async function world(t: Test) {
  const relay = await startTestRelay((fn) => t.teardown(fn));
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const [admin, technician] = await Promise.all([
    relay.staff(partnerId, 'admin'),
    relay.staff(partnerId, 'technician'),
  ]);
  await giveAllSites(relay.store, partnerId);
  const old = await relay.claim(admin, siteId);
  const works = async () => (await old.box.send(BOX_PATHS.orders)).status === 200;
  /** A second box that shows its number, and what claiming it takes. */
  const second = async (box = relay.box()) => {
    const shown = await box;
    const { session, claimUrl } = (await shown.start()).body;
    const { number } = (await shown.status(session)).body;
    const scanned = readQr(claimUrl);
    return { box: shown, params: { session }, number, scanned, body: { ...scanned, siteId, number } };
  };
  return { relay, partnerId, siteId, admin, technician, old, works, second };
}

t.test('an approval that would take the box of a site out of service needs a word for that box', async (t) => {
  const { admin, technician, old, works, second } = await world(t);
  const { box, params, number, body } = await second();
  const claimed = await technician.call<View>('claimBox', { params, body });
  const replaces = { applianceId: old.applianceId, serial: /./, lastCheckinAtMs: null };
  t.match(claimed.body, { state: 'claimed', replaces });
  const listed = await admin.call<{ sessions: View[] }>('claimSessions');
  t.match(listed.body.sessions, [
    { state: 'claimed', replaces },
    { state: 'acknowledged', replaces: null },
  ]);

  const approve = (more: object) => admin.call<View>('approveClaim', { params, body: { number, ...more } });
  const refused = await approve({});
  t.match(refused, { ...NOT_CONFIRMED, body: { data: { replaces: { applianceId: old.applianceId } } } });
  t.match(await approve({ replaces: ANOTHER }), NOT_CONFIRMED);
  t.ok(await works(), 'the box of the site is not touched');
  t.match(await approve({ replaces: old.applianceId }), { status: 200, body: { state: 'approved', replaces: null } });
  t.notOk(await works());
  t.equal((await approve({})).status, 200, 'asked again it is answered the same');
  t.match((await box.status(params.session)).body, { state: 'approved' });
});

t.test('a claim that is its own approval needs it too, and shows beforehand what it replaces', async (t) => {
  const { admin, technician, siteId, old, works, second } = await world(t);
  const { params, body, scanned } = await second();
  const look = (at: object = {}) => technician.call<View>('lookupClaim', { body: { ...scanned, ...at } });
  t.match((await look()).body, { state: 'started', replaces: null });
  t.match((await look({ siteId })).body, { replaces: { applianceId: old.applianceId } });
  t.match(await technician.call('claimBox', { params, body: { ...body, replaces: ANOTHER } }), NOT_CONFIRMED);
  t.match(await admin.call('claimBox', { params, body }), NOT_CONFIRMED);
  t.match((await look()).body, { state: 'started' }, 'the box still waits');
  t.ok(await works());
  t.equal((await admin.call('claimBox', { params, body: { ...body, replaces: old.applianceId } })).status, 200);
  t.notOk(await works());
});

t.test('the same box that comes back replaces nobody', async (t) => {
  const { admin, old, second } = await world(t);
  const { params, body } = await second(Promise.resolve(old.box));
  t.match(await admin.call<View>('claimBox', { params, body }), { status: 200, body: { state: 'approved' } });
});

t.test('a code without approval replaces the box it was made for and no other', async (t) => {
  const { relay, admin, siteId, old, works } = await world(t);
  const make = (more: object) =>
    admin.call<{ url: string; code: { replaces: string | null } }>('createCode', { body: { siteId, ...more } });
  t.match(await make({ preApproved: true }), NOT_CONFIRMED);
  t.match(await make({ preApproved: true, replaces: ANOTHER }), NOT_CONFIRMED);
  t.match(await make({}), { status: 201, body: { code: { replaces: null } } }, 'others are asked at the approval');
  const agreed = { preApproved: true, replaces: old.applianceId };
  const [first, second] = [await make(agreed), await make(agreed)];
  t.match(first, { status: 201, body: { code: { replaces: old.applianceId } } });

  const next = await relay.box();
  t.match((await next.presentQr(readQr(first.body.url).secret)).body, { state: 'approved' });
  t.notOk(await works());
  const third = await relay.box();
  const waits = await third.presentQr(readQr(second.body.url).secret);
  t.match(waits.body, { state: 'claimed' }, 'the box that came meanwhile was agreed to by nobody');
  const view = await admin.call<View>('claimSession', { params: { session: waits.body.session } });
  t.not(view.body.replaces, null);
});
