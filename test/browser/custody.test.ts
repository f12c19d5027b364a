import { readFile } from 'node:fs/promises';
import { verifyReceipt } from '@sitewarden/agent-proto/custody';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { rollUp } from '../../relay/history/index.ts';
import { leavingBox } from '../helpers/leave.ts';
import { seedSite } from '../helpers/relay.ts';
import { rootPublicKeyOf } from '../helpers/root-key.ts';
import { checkinBody } from '../helpers/sim-box.ts';
import { lookAtPage } from './lib/look-at-page.mjs';
import { DESK, openStage, PHONE } from './lib/stage.ts';

const stage = await openStage(t);
/** Set to a folder to keep what the pages looked like. */
const PICTURES = process.env.SITEWARDEN_PICTURES;

async function look(t: Test, page: Page, what: string): Promise<void> {
  for (const [width, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
      t.strictSame(await page.evaluate(lookAtPage), [], `${what}, ${width}, ${colorScheme}`);
      if (PICTURES) await page.screenshot({ path: `${PICTURES}/${what}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
}

t.test(
  'staff release a box with a reason, take it back, and keep a receipt that verifies',
  { skip: !stage },
  async (t) => {
    const { relay, newPartner } = stage!;
    const partner = await newPartner();
    const { siteId } = await seedSite(relay.store, partner.id, 'Main street');
    const { box, applianceId } = await relay.claim(partner.admin, siteId);
    const leaving = leavingBox(box, { host: relay.services.keys.host, applianceId });
    leaving.log.append(2);
    await leaving.deliver();
    await leaving.checkin();

    const page = await partner.open(`/sites/${siteId}/custody`);
    await page.getByRole('link', { name: 'Release the box' }).click();
    const submit = page.getByRole('button', { name: `Release box ${box.serial}` });
    await submit.waitFor();
    t.ok(await submit.isDisabled(), 'not without a reason');
    await page.getByRole('textbox', { name: 'Reason' }).fill('The clinic moves');
    await page.getByText('It can be taken back until the box has it.').waitFor();
    await look(t, page, 'leave');
    await submit.click();
    const section = page.locator('#custody');
    await section.getByText('The box is to be released.').waitFor();
    await section.getByRole('button', { name: 'Take it back' }).click();
    await section.getByText('The box is to be released.').waitFor({ state: 'hidden' });
    await section.getByRole('link', { name: `Received: box ${box.serial}` }).waitFor();

    await section.getByRole('link', { name: 'Release the box' }).click();
    await page.getByRole('textbox', { name: 'Reason' }).fill('The clinic moves');
    await submit.click();
    await section.getByText('The box is to be released.').waitFor();
    await leaving.checkin();
    await box.send(BOX_PATHS.release);
    await section.getByText('The box has its release and closes its log.').waitFor();
    const custody = await partner.admin.call<{ release: { id: string } }>('custody', { params: { siteId } });
    leaving.log.append(1, { kind: 'released' });
    await leaving.deliver();
    t.equal((await leaving.word(custody.body.release.id)).status, 200);
    await section.getByRole('link', { name: `Released: box ${box.serial}` }).click();

    await page.getByRole('heading', { name: 'Receipt: box released' }).waitFor();
    await page.getByText('3 entries, cosigned by the relay').waitFor();
    await look(t, page, 'receipt');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as JSON' }).click();
    const saved = JSON.parse(await readFile(await (await download).path(), 'utf8')) as object;
    t.match(verifyReceipt(saved, await rootPublicKeyOf(relay.dataDir)), {
      ok: true,
      receipt: { reason: 'The clinic moves' },
    });
    await page.emulateMedia({ media: 'print' });
    await page.getByText('Given by').waitFor();
    t.equal(await page.getByRole('button', { name: 'Print' }).isVisible(), false, 'paper has no buttons');
  },
);

t.test('an admin moves a box to a site without one, and both pages say where it is', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const { siteId } = await seedSite(relay.store, partner.id, 'Main street');
  const { siteId: toSiteId } = await seedSite(relay.store, partner.id, 'Hill road');
  const { box, applianceId } = await relay.claim(partner.admin, siteId);
  const leaving = leavingBox(box, { host: relay.services.keys.host, applianceId });
  await leaving.checkin();
  const operator = await partner.open(`/sites/${siteId}/leave`, { role: 'operator' });
  t.ok(await operator.getByRole('radio', { name: 'Move: the box goes to another site of yours' }).isDisabled());
  const page = await partner.open(`/sites/${siteId}/leave`);
  await page.getByRole('radio', { name: 'Move: the box goes to another site of yours' }).check();
  await page.getByRole('textbox', { name: 'Reason' }).fill('The clinic moves');
  const submit = page.getByRole('button', { name: `Move box ${box.serial}` });
  t.ok(await submit.isDisabled(), 'not without a site');
  await page.getByRole('combobox', { name: 'To which site' }).fill('Hill');
  await page.getByRole('option', { name: /Hill road/ }).click();
  await look(t, page, 'move');
  await submit.click();
  await page.locator('#custody').getByText('The box is to move to Hill road.').waitFor();
  await box.send(BOX_PATHS.release);
  const custody = await partner.admin.call<{ release: { id: string } }>('custody', { params: { siteId } });
  leaving.log.append(1).append(1, { kind: 'released' });
  await leaving.deliver();
  t.equal((await leaving.word(custody.body.release.id)).status, 200);
  await page.goto(`${relay.url}/sites/${toSiteId}/custody`);
  await page.getByText(`Box ${box.serial} is on its way here.`).waitFor();
  await page.getByText('No box watches this site yet: one was sent here.').waitFor();
  const { session } = (await box.start()).body;
  t.equal((await box.status(session)).body.state, 'approved');
  await page
    .locator('#custody')
    .getByRole('link', { name: `Received: box ${box.serial}` })
    .click();
  await page.getByText('moved here from Main street').waitFor();
  await page.reload();
  await page.getByText('moved here from Main street').waitFor();
  t.equal(await page.getByText('nothing was cosigned').count(), 0, 'a log that begins has no end');
  await look(t, page, 'receipt-received');
});

t.test('a box that asks for its place is approved with the number it shows', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const { siteId } = await seedSite(relay.store, partner.id, 'Main street');
  const { box: old } = await relay.claim(partner.admin, siteId);
  const box = await relay.box(old.serial);
  const { session } = (await box.start()).body;
  const { number } = (await box.status(session)).body;
  const operator = await partner.open(`/sites/${siteId}`, { role: 'operator' });
  await operator.getByText('An admin has to approve it with the number the box shows.').waitFor();
  const page = await partner.open('/provisioning');
  const ask = page.getByText(`A box with the serial number ${old.serial} has a new key and asks for its place at Main`);
  await ask.waitFor();
  t.notMatch(await page.content(), number, 'the number is on the box alone');
  await page.goto(`${relay.url}/sites/${siteId}`);
  await page.getByText('has a new key and asks for its place.').waitFor();
  await look(t, page, 'rearm');
  const field = page.getByRole('textbox', { name: 'Number the box shows' });
  await field.fill(number === '00000000' ? '11111111' : '00000000');
  await page.getByRole('button', { name: 'Re-arm the box' }).click();
  await page.getByText('The number is not the one this box shows.').waitFor();
  await field.fill(`${number.slice(0, 4)} ${number.slice(4)}`);
  await page.getByRole('button', { name: 'Re-arm the box' }).click();
  await page.getByText('has a new key and asks for its place.').waitFor({ state: 'detached' });
  await page
    .locator('#custody')
    .getByRole('link', { name: `Re-armed: box ${old.serial}` })
    .waitFor();
  t.match((await box.status(session)).body, { grant: { epoch: 2 } });
});

t.test(
  'of many boxes that ask for one place, the number finds the one and approves it',
  { skip: !stage },
  async (t) => {
    const { relay, newPartner } = stage!;
    const partner = await newPartner();
    const { siteId } = await seedSite(relay.store, partner.id, 'Main street');
    const { box: old } = await relay.claim(partner.admin, siteId);
    const ask = async () => {
      const box = await relay.box(old.serial);
      const { session } = (await box.start()).body;
      return { box, session, number: (await box.status(session)).body.number };
    };
    for (let i = 0; i < 6; i++) await ask();
    const { box, session, number } = await ask();
    const page = await partner.open(`/sites/${siteId}`);
    await page.getByText('2 more ask for a place.').waitFor();
    await page.getByRole('textbox', { name: 'Find the box by its number' }).fill(number);
    await page.getByRole('button', { name: 'Find it' }).click();
    const asking = page.getByText('has a new key and asks for its place.');
    await page.waitForFunction("document.body.innerText.split('asks for its place.').length === 2");
    t.equal(await asking.count(), 1, 'the others are put aside');
    await page.getByRole('textbox', { name: 'Number the box shows' }).fill(number);
    await page.getByRole('button', { name: 'Re-arm the box' }).click();
    await page
      .locator('#custody')
      .getByRole('link', { name: `Re-armed: box ${old.serial}` })
      .waitFor();
    t.match((await box.status(session)).body, { grant: { epoch: 2 } });
  },
);

t.test('the list of sites leads to the quarantine page, where an admin decides', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const { siteId } = await seedSite(relay.store, partner.id, 'Main street');
  const { box } = await relay.claim(partner.admin, siteId);
  const checkin = async (previousToken: string | null, over: object = {}) =>
    (
      await box.send<{ token: string; state: string }>(BOX_PATHS.checkin, {
        body: checkinBody({ previousToken, telemetry: { hostname: 'front-desk', kernel: '6.12.30' }, ...over }),
      })
    ).body;
  const copied = {
    bootId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    telemetry: { hostname: 'cloned-vm', kernel: '6.1.0', virtual_machine: true },
  };
  const { token } = await checkin(null);
  const real = await checkin(token);
  t.equal((await checkin(token, copied)).state, 'quarantined');

  const page = await partner.open('/');
  await page.getByRole('link', { name: /Open the quarantine page/ }).click();
  await page.getByRole('heading', { name: 'Two boxes, one identity' }).waitFor();
  await page.getByRole('cell', { name: 'cloned-vm' }).first().waitFor();
  await page.getByRole('rowheader', { name: 'virtual machine' }).waitFor();
  await look(t, page, 'quarantine');
  const reader = await partner.open(`/sites/${siteId}/quarantine`, { role: 'operator' });
  await reader.getByText('An admin decides which machine is genuine.').waitFor();
  t.equal(await reader.getByRole('radio').count(), 0);

  await page.getByRole('radio', { name: /Machine 1: front-desk/ }).check();
  await page.getByRole('button', { name: 'This one is genuine: release it' }).click();
  await page.getByRole('heading', { name: 'Main street', level: 1 }).waitFor();
  t.equal((await checkin(real.token, { ...copied, counter: 3 })).state, 'quarantined');
  t.equal((await checkin(real.token)).state, 'active');
});

t.test('the site page shows when the box was heard and when it was not', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const { siteId } = await seedSite(relay.store, partner.id, 'Main street');
  const { applianceId } = await relay.claim(partner.admin, siteId);
  const page = await partner.open(`/sites/${siteId}`);
  await page.locator('#seen').getByText('Nothing is rolled up yet').waitFor();
  const nowMs = Date.now();
  const hour = Math.floor(nowMs / 3_600_000) * 3_600_000;
  await rollUp(relay.store, nowMs);
  // Two days of rows, as the roll-up writes them: one hour with a gap, one silent.
  await relay.store.inTenant(partner.id, async (trx) => {
    await trx
      .updateTable('availability_cursor')
      .set({ since_ms: hour - 30 * 3_600_000, through_ms: hour })
      .execute();
    await trx
      .updateTable('provision_session')
      .set({ approved_at_ms: hour - 30 * 3_600_000 })
      .execute();
    for (let back = 1; back <= 30; back += 1) {
      const seen = back === 5 ? 2_400_000 : back === 9 ? 0 : 3_600_000;
      const row = { appliance_id: applianceId, partner_id: partner.id, site_id: siteId, span: 'hour' };
      await trx
        .insertInto('availability')
        .values({ ...row, from_ms: hour - back * 3_600_000, seen_ms: seen })
        .execute();
    }
  });
  await page.reload();
  const seen = page.locator('#seen');
  await seen.getByText('Heard 95.5 % of the last 1 d 6 h').waitFor();
  await seen.getByText('not heard for 1 h 20 min').first().waitFor();
  await look(t, page, 'seen');
});
