import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { readQr } from '../helpers/box.ts';
import { agentRow, checkRow, deviceRow, incidentRow, runRow } from './lib/live-box.ts';
import { lookAtPage } from './lib/look-at-page.mjs';
import { DESK, newPage, openStage, PHONE } from './lib/stage.ts';

const stage = await openStage(t);

async function assertReadable(t: Test, page: Page, what: string): Promise<void> {
  for (const [width, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
      t.strictSame(await page.evaluate(lookAtPage), [], `${what}, ${width}, ${colorScheme}`);
    }
  }
}

t.test('every page can be read on a phone and a desk, light and dark', { skip: !stage }, async (t) => {
  const { relay, browser, newPartner } = stage!;
  const partner = await newPartner();
  const { siteId, box } = await partner.newBox('Main street');
  const quiet = await partner.newBox('Quiet street');
  await partner.newSite('A site with a rather long name, so that something must wrap');
  await box.checkin();
  await quiet.box.checkin();
  const agent = agentRow();
  const statuses = ['fail', 'unknown', 'pass', 'not_applicable'] as const;
  const checks = ['firewall', 'patches', 'screenlock', 'defender'] as const;
  await box.send(
    'telemetry',
    agent,
    ...checks.map((check, n) => checkRow(agent.id, { check, status: statuses[n]!, severity: 'medium' })),
    deviceRow(),
  );
  box.log.append(2);
  await box.sendEvidence();
  await box.cosign();
  box.log.append(1);
  await box.sendEvidence();
  const severities = ['critical', 'high', 'medium', 'low', 'info'] as const;
  const states = ['open', 'healing', 'needs_person', 'resolved', 'open'] as const;
  const incidents = severities.map((severity, n) =>
    incidentRow({
      severity,
      state: states[n]!,
      subject: String(n),
      resolvedAtMs: states[n] === 'resolved' ? Date.now() : null,
      evidenceSeq: n,
    }),
  );
  const runs = (['verified', 'not_verified', 'refused', 'indeterminate', 'started'] as const).map((state) =>
    runRow(incidents[0]!.id, { state, evidenceSeq: 1 }),
  );
  await box.send('incidents', ...incidents, ...runs);
  await (await relay.box()).start();
  await partner.admin.call('createCode', { body: { siteId } });
  await partner.admin.call('createOrder', { params: { siteId }, body: { action: 'run_check' } });

  const page = await partner.open('/');
  await page.getByRole('row', { name: /Problem.*Main street/ }).waitFor();
  await assertReadable(t, page, 'sites');
  await page.keyboard.press('?');
  await page.getByRole('heading', { name: 'Help' }).waitFor();
  await assertReadable(t, page, 'help');

  await page.goto(`${relay.url}/sites/${siteId}?incidents=all`);
  await page
    .locator('#incidents')
    .getByRole('button', { name: /Critical/ })
    .click();
  await page
    .locator('#agents')
    .getByRole('button', { name: /reception-1/ })
    .click();
  await page.locator('#agents').getByRole('button', { name: /Fail/ }).click();
  await page.locator('#orders').getByText('Queued').waitFor();
  await page.locator('#devices').getByText('printer-lobby').waitFor();
  await page.locator('#evidence').getByText('Not yet cosigned').first().waitFor();
  await page.locator('#timeline').getByRole('listitem').first().waitFor();
  await assertReadable(t, page, 'site');

  await page.goto(`${relay.url}/provisioning?site=${siteId}`);
  await page.getByText('Waiting for its box').waitFor();
  await page.getByRole('button', { name: 'Make the code' }).click();
  await page.getByTestId('typed-code').waitFor();
  const codes: { url: string; code: { id: string } }[] = [];
  for (let n = 0; n < 3; n += 1) {
    const answer = await partner.admin.call<(typeof codes)[number]>('createCode', { body: { siteId: quiet.siteId } });
    codes.push(answer.body);
  }
  await (await relay.box('SW-0099')).presentQr(readQr(codes[0]!.url).secret);
  await partner.admin.call('revokeCode', { params: { codeId: codes[1]!.code.id } });
  await partner.admin.call('codeOpened', { body: { secret: readQr(codes[2]!.url).secret } });
  for (const word of ['Scanned', 'Revoked', 'Waits for approval'])
    await page.locator('#codes').getByText(word, { exact: true }).waitFor();
  await page.locator('#labels').getByRole('combobox', { name: 'Add a site' }).click();
  await page.getByRole('option', { name: /rather long name/ }).click();
  await page.locator('#labels').getByRole('spinbutton').fill('101');
  await page.getByText('101 labels are too many').waitFor();
  await assertReadable(t, page, 'provisioning');

  const wish = { email: 'kim@partner.example', name: 'Kim Field', role: 'technician', siteIds: [siteId] };
  const invited = await partner.admin.call<{ url: string }>('createInvite', { body: wish });
  await page.goto(`${relay.url}/people`);
  await page.getByText('Not accepted yet', { exact: true }).waitFor();
  await page
    .getByRole('button', { name: /^Change / })
    .first()
    .click();
  await page.getByRole('button', { name: 'Save' }).waitFor();
  await assertReadable(t, page, 'people');
  await page
    .getByRole('button', { name: /^Disable / })
    .first()
    .click();
  await page.getByLabel('Name').fill('Lee');
  await page.getByLabel('E-mail').fill('lee@partner.example');
  await page.getByRole('button', { name: 'Make the invite' }).click();
  await page.getByTestId('invite-link').waitFor();
  await assertReadable(t, page, 'people, with a link');
  await page.goto(`${relay.url}/account`);
  await page.getByLabel('New password').waitFor();
  await assertReadable(t, page, 'account');

  const scanned = await relay.box();
  const { claimUrl, session } = (await scanned.start()).body;
  await scanned.status(session);
  await page.goto(claimUrl);
  await page.getByTestId('number').waitFor();
  await page.getByRole('radio', { name: /Quiet street/ }).check();
  await page.getByText('Quiet street already has a box.').waitFor();
  await assertReadable(t, page, 'claim');

  await page.goto(`${relay.url}/sites/site_${'a'.repeat(26)}`);
  await page.getByText('There is no such site').waitFor();
  await assertReadable(t, page, 'no such site');

  const stranger = await newPage(t, browser);
  await stranger.goto(`${relay.url}/sign-in#${'x'.repeat(43)}`);
  await stranger.getByText('does not sign anybody in any more').waitFor();
  await assertReadable(t, stranger, 'sign in');
  await stranger.goto(invited.body.url);
  await stranger.getByLabel('Choose a password').waitFor();
  await assertReadable(t, stranger, 'invite');
  await stranger.goto(`${relay.url}/invite#${'x'.repeat(43)}`);
  await stranger.getByText('lets nobody in any more').waitFor();
  await assertReadable(t, stranger, 'dead invite');
  await stranger.goto(`${relay.url}/code`);
  await stranger.getByRole('heading').first().waitFor();
  await assertReadable(t, stranger, 'code');
});

t.test('what looks wrong is found', { skip: !stage }, async (t) => {
  const page = await newPage(t, stage!.browser, { viewport: PHONE });
  await page.setContent(
    '<main style="background:#fff"><p style="color:#999">pale</p><div style="width:900px">wide</div><button><i></i>&nbsp;</button></main>',
  );
  const faults = (await page.evaluate(lookAtPage)).join('\n');
  t.match(faults, /contrast 2\.85: p "pale"/);
  t.match(faults, /beyond the edge: div "wide"/);
  t.match(faults, /no name: <button>/);
});

t.test('the keyboard reaches everything', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const { siteId } = await partner.newBox('Main street');
  const page = await partner.open('/');
  await page.getByRole('link', { name: 'Main street' }).waitFor();
  await page.keyboard.press('Tab');
  t.equal(await focused(page), 'Skip to the content');
  await page.keyboard.press('Enter');
  t.equal(await page.evaluate('document.activeElement.id'), 'main');

  await page.keyboard.press('/');
  t.equal(await focused(page), 'Search sites and clients');
  await page.keyboard.type('main ?/');
  t.equal(await page.getByRole('searchbox').inputValue(), 'main ?/', 'keys typed into the search are text');
  await page.keyboard.press('Escape');
  t.equal(await page.getByRole('searchbox').inputValue(), '');
  t.not(await focused(page), 'Search sites and clients', 'one Esc leaves the search');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Help' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Help' }).waitFor({ state: 'hidden' });

  await page.getByRole('link', { name: 'Main street' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/sites/${siteId}`);
  await page.locator('#main:focus').waitFor();
  await page.keyboard.press('/');
  await page.waitForURL(`${relay.url}/`);
  await page.locator('[data-search]:focus').waitFor();
});

t.test('colours follow the system until somebody chooses, and the choice stays', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const page = await partner.open('/', { colorScheme: 'dark' });
  const scheme = () => page.evaluate('document.documentElement.dataset.mantineColorScheme');
  await page.getByText('No sites yet').waitFor();
  t.equal(await scheme(), 'dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.locator('html[data-mantine-color-scheme="light"]').waitFor();
  const toggle = page.getByRole('button', { name: /colours/i });
  await toggle.click();
  await toggle.click();
  t.equal(await scheme(), 'dark');
  await page.reload();
  t.equal(await scheme(), 'dark');
});

t.test('times are relative, exact on demand, and count by the clock of the relay', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const { siteId, box } = await partner.newBox('Main street');
  await box.checkin();
  const page = await partner.open('/');
  // The device that shows the page is a year behind.
  await page.clock.setFixedTime(Date.now() - 365 * 86_400_000);
  await page.goto(`${stage!.relay.url}/sites/${siteId}`);
  const checkin = page
    .locator('#appliance')
    .getByRole('button', { name: /ago|just now/ })
    .first();
  t.match(await checkin.innerText(), /just now|^\d+ s ago/);
  await checkin.click();
  t.match(await checkin.innerText(), new RegExp(`${new Date().getFullYear()}, \\d\\d:\\d\\d:\\d\\d`));
});

const focused = (page: Page) =>
  page.evaluate('document.activeElement.getAttribute("aria-label") || document.activeElement.textContent');
