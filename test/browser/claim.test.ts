import t from 'tap';
import { readQr } from '../helpers/box.ts';
import { giveAllSites } from '../helpers/relay.ts';
import { LiveBox } from './lib/live-box.ts';
import { newPage, openStage, PHONE } from './lib/stage.ts';

const stage = await openStage(t);

const shown = (number: string) => `${number.slice(0, 4)} ${number.slice(4)}`;

t.test(
  'a technician claims the scanned box on a phone and an admin approves its number',
  { skip: !stage },
  async (t) => {
    const { relay, browser, newPartner } = stage!;
    const partner = await newPartner();
    for (const name of ['Harbor view', 'Hilltop']) await partner.newSite(name);
    const box = await relay.box('SW-0042');
    const { session, claimUrl } = (await box.start()).body;

    const phone = await newPage(t, browser, { viewport: PHONE, hasTouch: true });
    await phone.goto(claimUrl);
    await phone.waitForURL('**/sign-in?return=%2Fclaim');
    t.notMatch(phone.url(), '#', 'the secret left the address bar');
    await phone.getByText('code is kept on this phone').waitFor();
    const link = await partner.signInLink('technician', 'Tim Field');
    await giveAllSites(relay.store, partner.id);
    await phone.getByLabel('One-time link').fill(link);
    await phone.getByRole('button', { name: 'Use the link' }).click();

    await phone.getByText('The box is about to show its number').waitFor();
    t.equal(phone.url(), `${relay.url}/claim`);
    const { number } = (await box.status(session)).body;
    await phone.getByText(shown(number)).waitFor();
    await phone.getByText('SW-0042').waitFor();
    const claim = phone.getByRole('button', { name: 'The numbers are equal, claim' });
    t.equal(await claim.isDisabled(), true, 'no claim without a site');
    await phone.getByRole('searchbox').fill('hill');
    await phone.getByText('1 site', { exact: true }).waitFor();
    await phone.getByRole('radio', { name: /Hilltop/ }).check();
    await claim.click();
    await phone.getByText('An admin approves it under Provisioning').waitFor();

    const desk = await partner.open('/provisioning');
    await desk.getByText('SW-0042').waitFor();
    t.notMatch(await desk.locator('main').innerText(), number, 'the admin must hear the number, not copy it');
    const typed = desk.getByLabel('Number the box shows');
    await typed.fill(number === '11111111' ? '22222222' : '11111111');
    await desk.getByRole('button', { name: 'Approve' }).click();
    await desk.getByText('The number is not the one this box shows').waitFor();
    await typed.fill(shown(number));
    await desk.getByRole('button', { name: 'Approve' }).click();

    await phone.getByText('The box fetches its config').waitFor();
    const applianceId = (await box.status(session)).body.grant?.applianceId as string;
    await box.ack(session, applianceId);
    await phone.getByText('Comes within a minute of the config').waitFor();
    await new LiveBox(box, { applianceId, relayHost: relay.services.keys.host }).checkin();
    await phone.getByText('The box is live').waitFor();
    t.equal(await phone.getByRole('link', { name: /Open Hilltop/ }).count(), 0, 'a technician has no site page');
    await desk.getByText('Live', { exact: true }).nth(1).waitFor();
  },
);

t.test("an admin's claim is its own approval and leads to the site", { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const siteId = await partner.newSite('Downtown');
  const box = await relay.box();
  const { session, claimUrl } = (await box.start()).body;
  const { number } = (await box.status(session)).body;
  const page = await partner.open(`/claim#${claimUrl.split('#')[1]}`, { viewport: PHONE });
  await page.getByText(shown(number)).waitFor();
  await page.getByRole('button', { name: 'The box shows another number' }).click();
  await page.getByText('Then do not claim it').waitFor();
  await page.getByRole('radio', { name: /Downtown/ }).check();
  const claim = page.getByRole('button', { name: 'The numbers are equal, claim' });
  t.equal(await claim.isDisabled(), true, 'numbers that differ cannot be claimed');
  await page.getByRole('button', { name: 'The box shows another number' }).click();
  await claim.click();
  await page.getByText('The box fetches its config').waitFor();
  const applianceId = (await box.status(session)).body.grant?.applianceId as string;
  await box.ack(session, applianceId);
  await new LiveBox(box, { applianceId, relayHost: relay.services.keys.host }).checkin();
  await page.getByRole('link', { name: 'Open Downtown' }).click();
  await page.waitForURL(`**/sites/${siteId}`);
  await page.getByRole('heading', { name: 'Downtown' }).waitFor();
});

t.test('a claim that replaces the box of a site says which one and wants a tick', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  await partner.newBox('Downtown');
  const box = await relay.box();
  const { session, claimUrl } = (await box.start()).body;
  await box.status(session);
  const page = await partner.open(`/claim#${claimUrl.split('#')[1]}`, { viewport: PHONE });
  await page.getByRole('radio', { name: /Downtown/ }).check();
  await page.getByText('With this claim it is taken out of service for good.').waitFor();
  const claim = page.getByRole('button', { name: 'The numbers are equal, claim' });
  t.equal(await claim.isDisabled(), true);
  await page.getByRole('checkbox', { name: /^Replace / }).check();
  await claim.click();
  await page.getByText('The box fetches its config').waitFor();
});

t.test('a code that leads nowhere says so and what to do', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const page = await partner.open('/claim', { viewport: PHONE });
  await page.getByText('Nothing was scanned in this tab yet').waitFor();
  await page.goto(`${stage!.relay.url}/claim#v1.${'a'.repeat(22)}.${'b'.repeat(43)}`);
  await page.getByText('No box waits for this code any more').waitFor();
  await page.getByText('The box shows a new QR code by itself').waitFor();
  t.notMatch(page.url(), '#');
  await page.goto(`${stage!.relay.url}/claim#v1.cut`);
  await page.getByText('This is not a whole Sitewarden code').waitFor();

  const { claimUrl } = (await (await stage!.relay.box()).start()).body;
  await page.goto(claimUrl);
  await page.getByText('The box is about to show its number').waitFor();
  t.notMatch(await page.content(), readQr(claimUrl).secret, 'no secret in the page');
});

t.test('a code that is not ours is said to be none before anybody signs in', { skip: !stage }, async (t) => {
  const { relay, browser } = stage!;
  const page = await newPage(t, browser, { viewport: PHONE });
  await page.goto(`${relay.url}/claim#hello`);
  await page.getByText('This is not the QR code of a Sitewarden box.').waitFor();
  t.equal(await page.getByText('code is kept on this phone').count(), 0);
  await page.getByText('sign-in-link --config <relay.yaml>').waitFor();
});

t.test('readonly staff are told why they cannot claim', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const page = await partner.open('/claim', { role: 'readonly', viewport: PHONE });
  await page.getByText('may look at sites but not claim boxes').waitFor();
  t.equal(await page.getByRole('button', { name: /claim/ }).count(), 0);
});

t.test('a partner code read by a camera is not used up and leads to the box', { skip: !stage }, async (t) => {
  const { relay, browser } = stage!;
  const page = await newPage(t, browser, { viewport: PHONE });
  await page.goto(`${relay.url}/code#v1.${'c'.repeat(22)}`);
  await page.getByRole('link', { name: 'http://sitewarden.local:8080' }).waitFor();
  t.equal(await page.getByText('Scan the label').count(), 0, 'the page of the box has no camera');
  t.equal(page.url(), `${relay.url}/code`);
  await page.goto(`${relay.url}/code#v1.cut`);
  await page.getByText('This is not a whole Sitewarden code').waitFor();
  t.equal(page.url(), `${relay.url}/code`, 'nor does a second scan into the same tab stay in the address');
});
