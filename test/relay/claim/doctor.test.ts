import { BOX_PATHS, DOCTOR_STEPS, type DoctorFinding } from '@sitewarden/agent-proto/http';
import t, { type Test } from 'tap';
import { readQr } from '../../helpers/box.ts';
import { seedPartner, seedSite, startTestRelay, testClock } from '../../helpers/relay.ts';

interface View {
  state: string;
  doctor: { atMs: number; findings: DoctorFinding[] } | null;
}

const FINDINGS: DoctorFinding[] = [
  { name: 'link', state: 'ok', code: null, text: 'eth0 has a link.' },
  { name: 'clock', state: 'failed', code: 'CLOCK_WRONG', text: 'The clock is 3 h behind. Set it.' },
];

async function shownBox(t: Test) {
  const clock = testClock();
  const relay = await startTestRelay((fn) => t.teardown(fn), { clock });
  const partnerId = await seedPartner(relay.store, 'Northwind IT');
  const { siteId } = await seedSite(relay.store, partnerId, 'Elm street');
  const admin = await relay.staff(partnerId, 'admin');
  const box = await relay.box();
  const { session, claimUrl } = (await box.start()).body;
  const scanned = readQr(claimUrl);
  const tell = (findings: unknown, from = box) => from.send(BOX_PATHS.provisionDoctor, { body: { session, findings } });
  const look = async () => (await admin.call<View>('lookupClaim', { body: scanned })).body;
  return { relay, clock, siteId, admin, box, session, scanned, tell, look };
}

t.test('who scanned the box sees what it last said of its way, before and after the claim', async (t) => {
  const { clock, siteId, admin, box, session, scanned, tell, look } = await shownBox(t);
  t.equal((await look()).doctor, null, 'it has said nothing');
  t.equal((await tell(FINDINGS)).status, 200);
  t.strictSame((await look()).doctor, { atMs: clock.nowMs(), findings: FINDINGS });
  const { number } = (await box.status(session)).body;
  await admin.call('claimBox', { params: { session }, body: { ...scanned, siteId, number } });
  const better = [{ name: 'clock', state: 'ok', code: null, text: 'Right to the second.' }];
  t.equal((await tell(better)).status, 200);
  const followed = await admin.call<View>('claimSession', { params: { session } });
  t.match(followed.body, { state: 'approved' });
  t.strictSame(followed.body.doctor?.findings, better, 'the newest word counts');
});

t.test('nobody tells for another box, and nothing gets in that is no finding', async (t) => {
  const { relay, tell, look } = await shownBox(t);
  const other = await tell(FINDINGS, await relay.box());
  t.match(other, { status: 409, body: { code: 'KEYS_MISMATCH' } });
  const finding = FINDINGS[0] as DoctorFinding;
  for (const [what, findings] of [
    ['nothing', []],
    ['more than there are steps', Array.from({ length: DOCTOR_STEPS.length + 1 }, () => finding)],
    ['a step nobody knows', [{ ...finding, name: 'heart' }]],
    ['a text that breaks the line', [{ ...finding, text: 'a\nb' }]],
    ['a text that runs backwards', [{ ...finding, text: 'a\u202eb' }]],
    ['a text too long', [{ ...finding, text: 'a'.repeat(513) }]],
    ['a surplus member', [{ ...finding, html: '<b>' }]],
  ] as const) {
    t.match(await tell(findings), { status: 400, body: { code: 'BODY_INVALID' } }, what);
  }
  t.equal((await look()).doctor, null);
});
