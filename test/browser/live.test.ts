import t from 'tap';
import { createSignInLink } from '../../relay/accounts/index.ts';
import { seedPartner, seedSite, startTestRelay } from '../helpers/relay.ts';
import { StaffClient } from '../helpers/staff-client.ts';
import { newPage, openStage } from './lib/stage.ts';
import { startTcpProxy } from './lib/tcp-proxy.ts';

const stage = await openStage(t);

t.test('a relay that stops is noticed, told and forgotten when it is back', { skip: !stage }, async (t) => {
  const { browser } = stage!;
  // The page keeps its address while the relay behind it comes and goes.
  const proxy = await startTcpProxy();
  t.teardown(() => proxy.close());
  const first = await startTestRelay((fn) => t.teardown(fn));
  proxy.setTarget(first.url);
  const partnerId = await seedPartner(first.store);
  await seedSite(first.store, partnerId, 'Main street');
  const link = { publicUrl: proxy.url, role: 'admin', name: 'Ada', partnerId, nowMs: Date.now() } as const;
  const page = await newPage(t, browser);
  await page.goto((await createSignInLink(first.store, link)).url);
  await page.getByRole('link', { name: 'Main street' }).waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  t.equal(await page.getByText('Live updates stopped').count(), 0);

  await first.close();
  await page.getByText(/Live updates stopped 1\d s ago\./).waitFor();
  await page
    .getByText(/Showing data from \d\d:\d\d:\d\d\./)
    .first()
    .waitFor();
  await page.getByText('Not live', { exact: true }).waitFor();
  t.equal(await page.getByRole('link', { name: 'Main street' }).count(), 1, 'what was known stays on the page');

  const second = await startTestRelay((fn) => t.teardown(fn), { dataDir: first.dataDir });
  proxy.setTarget(second.url);
  await seedSite(second.store, partnerId, 'Made meanwhile');
  await page.getByRole('button', { name: 'Connect again' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Made meanwhile' }).waitFor();
  await page.getByText('Live updates stopped').first().waitFor({ state: 'detached' });
});

t.test('eight tabs of one browser follow changes over one stream', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const siteId = await partner.newSite('Main street');
  const first = await partner.open('/');
  const tabs = [first];
  while (tabs.length < 8) {
    const tab = await first.context().newPage();
    await tab.goto(`${relay.url}/`);
    tabs.push(tab);
  }
  for (const tab of tabs) {
    await tab.getByRole('link', { name: 'Main street' }).waitFor();
    await tab.getByText('Live', { exact: true }).waitFor();
  }
  t.equal(relay.services.streams.count(), 1, 'the relay serves one stream');
  await partner.admin.call('changeSite', { params: { siteId }, body: { name: 'Harbor view' } });
  for (const tab of tabs) await tab.getByRole('link', { name: 'Harbor view' }).waitFor();

  // The tab that came first is no better than the others.
  await first.close();
  await partner.admin.call('changeSite', { params: { siteId }, body: { name: 'Hilltop' } });
  for (const tab of tabs.slice(1)) await tab.getByRole('link', { name: 'Hilltop' }).waitFor();
});

t.test('without shared workers only the tab somebody looks at holds a stream', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const siteId = await partner.newSite('Main street');
  const page = await partner.open('/');
  await page.getByText('Live', { exact: true }).waitFor();
  await page.addInitScript('delete globalThis.SharedWorker');
  await page.reload();
  await page.getByText('Live', { exact: true }).waitFor();
  const show = (state: string) =>
    page.evaluate(`Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'))`);
  await show('hidden');
  const deadlineMs = Date.now() + 10_000;
  while (relay.services.live.hasListeners(partner.id) && Date.now() < deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(relay.services.live.hasListeners(partner.id), false);
  await partner.admin.call('changeSite', { params: { siteId }, body: { name: 'Harbor view' } });
  await show('visible');
  await page.getByRole('link', { name: 'Harbor view' }).waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
});

t.test('a device without a network says so in one voice until it is back', { skip: !stage }, async (t) => {
  const { newPartner } = stage!;
  const page = await (await newPartner()).open('/');
  await page.getByText('Live', { exact: true }).waitFor();
  await page.context().setOffline(true);
  await page.getByRole('banner').getByText('Offline', { exact: true }).waitFor();
  await page.getByText('This device is offline.').first().waitFor();
  t.equal(await page.getByText('Live', { exact: true }).count(), 0);
  await page.context().setOffline(false);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('This device is offline.').first().waitFor({ state: 'detached' });
});

t.test('a session that ends leads to the sign-in page and back to where one was', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const siteId = await partner.newSite('Main street');
  const page = await partner.open(`/sites/${siteId}?incidents=all`);
  await page.getByRole('heading', { name: 'Main street' }).waitFor();
  const cookies = await page.context().cookies();
  const elsewhere = new StaffClient(relay.url);
  elsewhere.cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  t.equal((await elsewhere.call('signOut')).status, 200);
  await page.waitForURL('**/sign-in?return=**');
  await page.goto(await partner.signInLink());
  await page.waitForURL(`**/sites/${siteId}?incidents=all`);
  await page.getByRole('heading', { name: 'Main street' }).waitFor();
});

t.test('a sign-in in another tab lets the tab that waits go on', { skip: !stage }, async (t) => {
  const { relay, browser, newPartner } = stage!;
  const partner = await newPartner();
  const waiting = await newPage(t, browser);
  await waiting.goto(`${relay.url}/provisioning`);
  await waiting.waitForURL('**/sign-in?return=%2Fprovisioning');
  const other = await waiting.context().newPage();
  await other.goto(await partner.signInLink());
  await waiting.waitForURL('**/provisioning');
  await waiting.getByRole('heading', { name: 'Provisioning' }).waitFor();
  t.match(await waiting.title(), 'Provisioning');
});

t.test('a used link, a cut link and signing out each have their sentence', { skip: !stage }, async (t) => {
  const { relay, browser, newPartner } = stage!;
  const partner = await newPartner();
  const link = await partner.signInLink();
  const page = await newPage(t, browser);
  await page.goto(link);
  await page.waitForURL(`${relay.url}/`);
  t.equal(await page.evaluate('location.hash'), '');
  await page.getByRole('button', { name: /Sign out/ }).click();
  await page.getByText('You are signed out.').waitFor();
  await page.goto(link);
  await page.getByText('This link does not sign anybody in any more.').waitFor();
  await page.getByText('sitewarden-relay sign-in-link').waitFor();
  await page.goto(`${relay.url}/sign-in#${link.split('#')[1]?.slice(0, 30)}`);
  await page.getByText('This sign-in link is not whole.').waitFor();
  t.equal(await page.evaluate('location.hash'), '');
});
