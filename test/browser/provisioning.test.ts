import { join } from 'node:path';
import jsQR from 'jsqr';
import t from 'tap';
import { readQr } from '../helpers/box.ts';
import { LABEL_NEEDS, pagesOf, urlsOn } from '../helpers/label-sheet.ts';
import { skipWithout } from '../helpers/needs.ts';
import { newPage, openStage, PHONE } from './lib/stage.ts';

const stage = await openStage(t);

/** Runs in the page: what a camera would see of a square image. */
const PIXELS_OF_IMAGE = (image: unknown): { pixels: number[]; side: number } => {
  const side = 400;
  const { document } = globalThis as unknown as { document: { createElement(name: string): Canvas } };
  const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
  const pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0, side, side);
  return { pixels: [...pen.getImageData(0, 0, side, side).data], side };
};

interface Canvas {
  getContext(kind: '2d'): {
    drawImage(image: unknown, x: number, y: number, width: number, height: number): void;
    getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray };
  };
}

t.test('from nothing to a printed code that a camera can read', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const page = await partner.open('/provisioning');
  await page.getByLabel('Name of the new client').fill('Lakeside Family Practice');
  await page.getByRole('button', { name: 'Add the client' }).click();
  await page
    .getByRole('combobox', { name: 'Client of the new site' })
    .and(page.locator('[value^="Lakeside"]'))
    .waitFor();
  await page.getByLabel('Name of the new site').fill('Main street');
  await page.getByRole('button', { name: 'Add the site' }).click();
  await page.getByText('was added').waitFor();

  await page.getByRole('combobox', { name: 'Site', exact: true }).click();
  await page.getByRole('option', { name: 'Main street, Lakeside Family Practice' }).click();
  await page.getByRole('checkbox', { name: /Pre-approved/ }).check();
  await page.getByRole('button', { name: 'Make the code' }).click();
  const typed = await page.getByTestId('typed-code').innerText();
  t.match(typed, /^[B-Z]{4}-[B-Z]{5}-[B-Z]{5}$/);

  const qr = page.getByRole('img', { name: /QR code/ });
  const { pixels, side } = await qr.evaluate(PIXELS_OF_IMAGE);
  const read = jsQR.default(Uint8ClampedArray.from(pixels), side, side);
  t.match(read?.data, /^http:\/\/127\.0\.0\.1:\d+\/code#v1\.[A-Za-z0-9_-]{22}$/, 'the QR code says what the box needs');

  await page.getByText('Waiting for its box').waitFor();
  await page.getByRole('button', { name: 'Done, forget it' }).click();
  await page.getByRole('heading', { name: 'Make a code for a box' }).waitFor();
  t.equal(await page.getByText(typed).count(), 0, 'a code is seen once');

  const box = await relay.box('SW-0077');
  const answer = await box.presentTyped(typed);
  t.equal(answer.status, 200);
  await page.getByText('SW-0077', { exact: true }).waitFor();
  await page.getByText('Approved', { exact: true }).waitFor();
  await box.ack(answer.body.session, answer.body.grant?.applianceId ?? '');
  await page.getByText('Used', { exact: true }).waitFor();
  const life = page.getByRole('list', { name: 'Life of the code for Main street' });
  for (const step of [
    'Made by Staff admin person',
    'Brought by the box SW-0077',
    'Pre-approved by',
    'Config is on the box',
  ])
    t.match((await life.innerText()).replaceAll(/\s+/g, ' '), step);
});

t.test('a code can be revoked before its box comes', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const siteId = await partner.newSite('Elm street');
  const page = await partner.open(`/provisioning?site=${siteId}`);
  await page.getByRole('button', { name: 'Make the code' }).click();
  const typed = await page.getByTestId('typed-code').innerText();
  await page.getByRole('button', { name: 'Revoke the code for Elm street' }).click();
  await page.getByText('Revoked', { exact: true }).waitFor();
  const answer = await (await relay.box()).presentTyped(typed);
  t.not(answer.status, 200);
});

t.test('labels for two sites come as a file whose codes can be read', { skip: !stage }, async (t) => {
  if (skipWithout(t, LABEL_NEEDS)) return;
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  await partner.newSite('Elm street');
  await partner.newSite('Ząbkowska');
  const page = await partner.open('/provisioning');
  const labels = page.locator('#labels');
  const print = labels.getByRole('button', { name: /^Print/ });
  t.equal(await print.isDisabled(), true, 'nothing is chosen');
  const search = labels.getByRole('combobox', { name: 'Add a site' });
  for (const name of ['Elm street', 'Ząbkowska']) {
    await search.fill(name);
    await page.getByRole('option', { name: new RegExp(name) }).waitFor();
    await search.press('ArrowDown');
    await search.press('Enter');
    await labels.getByLabel(new RegExp(`^Labels for ${name}`)).waitFor();
  }
  await labels.getByLabel(/^Labels for Elm/).fill('101');
  await labels.getByText('102 labels are too many for one sheet.').waitFor();
  t.equal(await print.isDisabled(), true);
  await labels.getByLabel(/^Labels for Elm/).fill('2');
  await labels.getByLabel('Paper').selectOption('letter');
  const downloading = page.waitForEvent('download');
  await labels.getByRole('button', { name: 'Print 3 labels' }).click();
  const download = await downloading;
  t.match(download.suggestedFilename(), /^sitewarden-labels-.*\.pdf$/);
  const file = join(t.testdir(), 'labels.pdf');
  await download.saveAs(file);
  const urls = urlsOn(await pagesOf(file), 3, 'letter');
  for (const url of urls) t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/code#v1\.[A-Za-z0-9_-]{22}$/);
  t.equal(new Set(urls).size, 3);
  await labels.getByText('was downloaded').waitFor();
  t.equal(await labels.getByRole('listitem').count(), 0, 'the next sheet begins empty');
  const rows = page.locator('#codes li[data-state]');
  await rows.nth(2).waitFor();
  t.equal(await rows.count(), 3);

  const box = await relay.box();
  t.equal((await box.presentQr(readQr(urls[2] ?? '').secret)).status, 200);
  await rows.filter({ hasText: 'Ząbkowska' }).getByText('Waits for approval', { exact: true }).waitFor();
  const filter = page.getByLabel('Codes to show');
  await filter.selectOption('Claimed (1)');
  await page.waitForURL(/codes=claimed/);
  await rows.nth(1).waitFor({ state: 'detached' });
  t.equal(await rows.count(), 1);
  await filter.selectOption('Used (0)');
  await page.getByText('No code is used').waitFor();
  await page.getByRole('button', { name: 'Show all codes' }).click();
  await rows.nth(2).waitFor();
});

t.test('labels that cannot be made say why, and are not forgotten', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  await partner.newBox('Elm street');
  const page = await partner.open('/provisioning');
  const labels = page.locator('#labels');
  await labels.getByRole('combobox', { name: 'Add a site' }).click();
  await page.getByRole('option', { name: /Elm street/ }).click();
  await labels.getByLabel('Labels work for').selectOption('10 minutes');
  await labels.getByRole('checkbox', { name: 'No approval for these labels' }).check();
  await labels.getByRole('button', { name: 'Print 1 label' }).click();
  await labels.getByText('LABELS_SITE_HAS_BOX').waitFor();
  t.equal(await labels.getByLabel(/^Labels for Elm/).inputValue(), '1');
  await labels.getByRole('button', { name: /^Remove Elm street/ }).click();
  await labels.getByText('No site is chosen.').waitFor();
});

t.test('a code that somebody opens on a phone is seen to be scanned, at once', { skip: !stage }, async (t) => {
  const { browser, newPartner } = stage!;
  const partner = await newPartner();
  const siteId = await partner.newSite('Elm street');
  const made = await partner.admin.call<{ url: string }>('createCode', { body: { siteId } });
  const page = await partner.open('/provisioning');
  const row = page.locator('#codes li[data-state]');
  await row.getByText('Waiting for its box', { exact: true }).waitFor();

  const phone = await newPage(t, browser, { viewport: PHONE });
  const told: string[] = [];
  phone.on('request', (request) => {
    if (request.url().endsWith('/api/provision/code-opened')) told.push(request.postData() ?? '');
  });
  await phone.goto(made.body.url);
  await phone.getByRole('heading', { name: 'This code is for the box' }).waitFor();
  await row.getByText('Scanned', { exact: true }).waitFor();
  await row.getByText('Opened on a phone').waitFor();
  t.strictSame(told, [JSON.stringify({ secret: readQr(made.body.url).secret })], 'the page says it once');
  t.notMatch(phone.url(), '#', 'and the address keeps no secret');
  await row.getByRole('button', { name: 'Revoke the code for Elm street' }).click();
  await row.getByText('Revoked', { exact: true }).waitFor();
  t.equal(await row.getByRole('button', { name: /^Revoke/ }).count(), 0);
});

t.test('the page of a code serves also when the relay cannot be told', { skip: !stage }, async (t) => {
  const { relay, browser } = stage!;
  const phone = await newPage(t, browser, { viewport: PHONE });
  await phone.route('**/api/provision/code-opened', (route) => route.abort());
  const asked = phone.waitForRequest('**/api/provision/code-opened');
  await phone.goto(`${relay.url}/code#v1.${'A'.repeat(22)}`);
  await asked;
  await phone.getByRole('heading', { name: 'This code is for the box' }).waitFor();
  t.equal(await phone.getByRole('alert').count(), 0);
});

t.test('roles see what they may do', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  await partner.newSite('Elm street');
  const operator = await partner.open('/provisioning', { role: 'operator' });
  await operator.getByRole('heading', { name: 'Make a code for a box' }).waitFor();
  t.equal(await operator.getByLabel('Name of the new client').count(), 0);
  t.equal(await operator.getByLabel('Pre-approved').count(), 0);
  const reader = await partner.open('/provisioning', { role: 'readonly' });
  await reader.getByText('has the role readonly, which does not provision boxes').waitFor();
  t.equal(await reader.getByRole('navigation', { name: 'Pages' }).getByText('Provisioning').count(), 0);
});

t.test('nobody takes the box of a site out of service without a tick for it', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const { siteId, box: old } = await partner.newBox('Elm street');
  await old.checkin();
  const bring = async (typed: string, serial: string) => {
    const box = await relay.box(serial);
    return (await box.presentTyped(typed)).body;
  };
  const page = await partner.open(`/provisioning?site=${siteId}`);
  const make = page.getByRole('button', { name: 'Make the code' });
  await page.getByText('Elm street already has a box.').waitFor();
  await page.getByRole('checkbox', { name: /Pre-approved/ }).check();
  await page.getByText('As soon as a box brings this code it is taken out of service for good.').waitFor();
  t.equal(await make.isDisabled(), true);
  await page.getByRole('checkbox', { name: /^Replace / }).check();
  t.equal(await make.isDisabled(), false);
  await page.getByRole('checkbox', { name: /Pre-approved/ }).uncheck();
  await make.click();
  const typed = await page.getByTestId('typed-code').innerText();
  await page.getByRole('button', { name: 'Done, forget it' }).click();

  const { number } = await bring(typed, 'SW-0078');
  const claim = page.getByRole('listitem').filter({ hasText: 'SW-0078' });
  await claim.getByText('Elm street already has a box.').waitFor();
  await claim.getByLabel('Number the box shows').fill(number);
  const approve = claim.getByRole('button', { name: 'Approve' });
  t.equal(await approve.isDisabled(), true);
  await claim.getByRole('checkbox', { name: /^Replace / }).check();
  await approve.click();
  await claim.getByText('Elm street already has a box.').waitFor({ state: 'detached' });

  // The box that came second is the one the next code is asked about.
  await page.getByRole('checkbox', { name: /Pre-approved/ }).check();
  await page.getByRole('checkbox', { name: 'Replace SW-0078' }).check();
  await make.click();
  await page.getByText('Replaces the box at the site.').waitFor();
  t.match(await bring(await page.getByTestId('typed-code').innerText(), 'SW-0079'), { state: 'approved' });
});
