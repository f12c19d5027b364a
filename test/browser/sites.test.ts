import { readFile } from 'node:fs/promises';
import t from 'tap';
import { incidentRow } from './lib/live-box.ts';
import { openStage } from './lib/stage.ts';

const stage = await openStage(t);

t.test('without sites the page leads to provisioning', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const page = await partner.open('/');
  await page.getByText('No sites yet').waitFor();
  await page.getByRole('link', { name: 'Set up the first site' }).click();
  await page.waitForURL('**/provisioning');
  await page.getByRole('heading', { name: 'New client and site' }).waitFor();
  t.match(await page.title(), 'Provisioning');
});

t.test('the list follows its boxes without being loaded again', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const quiet = await partner.newBox('Quiet street');
  const busy = await partner.newBox('Busy street');
  await quiet.box.checkin();
  const page = await partner.open('/');
  const firstSite = page.locator('tbody tr').first().getByRole('link');
  await page.getByRole('row', { name: /OK.*Quiet street/ }).waitFor();
  await page.getByRole('row', { name: /Unknown.*Busy street/ }).waitFor();
  await page.evaluate(() => Object.assign(globalThis, { untouched: true }));

  await busy.box.checkin();
  await page.getByRole('row', { name: /OK.*Busy street/ }).waitFor();
  await busy.box.send('incidents', incidentRow());
  const row = page.getByRole('row', { name: /Problem.*Busy street/ });
  await row.waitFor();
  t.match(await row.innerText(), /1 high/);
  t.equal(await firstSite.innerText(), 'Busy street', 'what is not fine stands first');
  await page.getByRole('link', { name: /^Problem\s*1$/ }).waitFor();
  t.equal(await page.evaluate(() => 'untouched' in globalThis), true, 'the page was not loaded again');
  await page.getByText('Live', { exact: true }).waitFor();
});

t.test('search and filter live in the address and count what they show', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  for (const name of ['Elm practice', 'Oak practice']) await partner.newSite(name);
  const { box } = await partner.newBox('Elm annex');
  await box.checkin();
  const page = await partner.open('/');
  const rows = page.locator('tbody tr');
  await page.getByRole('link', { name: /^Unknown\s*2$/ }).click();
  await page.waitForURL('**/?health=unknown');
  await page.getByText('2 sites', { exact: true }).waitFor();
  t.equal(await rows.count(), 2);

  await page.keyboard.press('/');
  await page.keyboard.type('elm');
  await page.waitForURL((url) => url.searchParams.get('search') === 'elm');
  await page.getByRole('link', { name: /^All\s*2$/ }).waitFor();
  await page.getByText('1 site', { exact: true }).waitFor();
  await page.reload();
  await page.getByText('1 site', { exact: true }).waitFor();
  t.equal(await page.getByRole('searchbox').inputValue(), 'elm', 'a link shows another person the same rows');

  await page.getByRole('searchbox').fill('nothing like this');
  await page.getByText('No site with health Unknown named like').waitFor();
  await page.getByRole('link', { name: 'Show all sites' }).click();
  await page.getByText('3 sites', { exact: true }).waitFor();
  t.equal(await page.getByRole('searchbox').inputValue(), '');
});

t.test('500 sites are shown in parts and exported whole', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  for (let n = 0; n < 500; n += 1) await partner.newSite(`Site ${String(n).padStart(3, '0')}, ground floor`);
  const page = await partner.open('/');
  const rows = page.locator('tbody tr');
  await page.getByText('200 of 500 sites').waitFor();
  t.equal(await rows.count(), 200);
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.getByText('400 of 500 sites').waitFor();
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.getByText('500 sites', { exact: true }).waitFor();
  t.equal(await rows.count(), 500);
  t.equal(await page.getByRole('button', { name: 'Show more' }).count(), 0);

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export' }).click(),
  ]);
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
  t.equal(lines.length, 501, 'a heading and every row');
  t.match(lines[0], /^site,client,health,reason/);
  t.match(lines[1], /^"Site \d{3}, ground floor",/, 'a comma in a name stays inside its cell');
});
