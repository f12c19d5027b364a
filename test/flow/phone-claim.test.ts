import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { PNG } from 'pngjs';
import t, { type Test } from 'tap';
import { LABELS_A_PAGE } from '../../relay/claim/label-sheet.ts';
import { ENTRIES, type Running, runProgram, startProgram } from '../../scripts/lib/programs.ts';
import { makeSignInLink } from '../../scripts/lib/relay-setup.ts';
import { type StaffClient, sendAsBrowser, signIn } from '../../scripts/lib/staff-client.ts';
import { DESK, newPage, PHONE } from '../browser/lib/stage.ts';
import { startAppliance, type TestAppliance } from '../helpers/appliance.ts';
import { BROWSER_FLAGS, findBrowser, launchBrowser, skipWithoutBrowser } from '../helpers/browser.ts';
import { CAMERA_GRANTED, cameraFlags, filmOf } from '../helpers/camera-film.ts';
import { freePort } from '../helpers/free-port.ts';
import { decodeQr, LABEL_NEEDS, pagesOf, urlsOn } from '../helpers/label-sheet.ts';
import { skipWithout } from '../helpers/needs.ts';
import { startRelayProgram } from '../helpers/relay-program.ts';

const PASSWORD = 'a long walk to the harbor';
const TECHNICIAN = 'tim@northwind.example';

interface World {
  readonly dir: string;
  readonly url: string;
  readonly admin: StaffClient;
  readonly adminLink: () => Promise<string>;
  readonly siteId: string;
  readonly box: TestAppliance;
}

/** The relay as its program, a site with one other beside it, a technician with a password, and a box fresh from the carton. */
async function world(t: Test): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-phone-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { config, rootKey, relay } = await startRelayProgram({ dir, publicUrl: url, port });
  t.teardown(() => relay.stop());
  const adminLink = () => makeSignInLink(config);
  const admin = await signIn(url, await adminLink());
  const { id: clientId } = await admin.call<{ id: string }>('POST', '/api/clients', { name: 'Northwind Dental' });
  const newSite = (name: string) =>
    admin.call<{ id: string }>('POST', '/api/sites', { clientId, name, agentTier: 0, requiredServices: [] });
  await newSite('Elm street');
  const { id: siteId } = await newSite('Harbor view');
  const wish = { email: TECHNICIAN, name: 'Tim Field', role: 'technician', siteIds: [siteId] };
  const invited = await admin.call<{ url: string }>('POST', '/api/users/invite', wish);
  const token = invited.url.slice(invited.url.indexOf('#') + 1);
  await sendAsBrowser(url, '', 'POST', '/api/users/invite/accept', { token, password: PASSWORD });
  const box = await startAppliance({ dataDir: join(dir, 'box'), relay: { url, rootKey }, checkinIntervalMs: 1000 });
  t.teardown(() => box.stop());
  return { dir, url, admin, adminLink, siteId, box };
}

/** A workstation beside the box, so that there is something to become green. */
async function startAgent(t: Test, { dir, box }: World): Promise<Running> {
  const tokenFile = join(dir, 'agent-token.json');
  await runProgram('appliance', ['agents', 'token', '--config', box.configFile, '--out', tokenFile]);
  const config = join(dir, 'agent.yaml');
  writeFileSync(
    config,
    JSON.stringify({ applianceAddress: box.intakeAddress, dataDir: join(dir, 'agent'), tokenFile }),
  );
  const args = ['run', '--config', config, '--ready-json'];
  const agent = await startProgram({ name: 'agent', entry: ENTRIES.agent, args });
  t.teardown(() => agent.stop());
  return agent;
}

async function pageOf(t: Test, browser: Browser, url: string, where: object): Promise<Page> {
  const page = await newPage(t, browser, where);
  await page.goto(url);
  return page;
}

const numberOn = async (boxPage: Page): Promise<string> => {
  await boxPage.locator('.number').waitFor();
  return (await boxPage.locator('.number').innerText()).trim();
};

/** An admin at a desk, who is told the number on the telephone. */
async function approve(t: Test, browser: Browser, { url, adminLink }: World, number: string): Promise<Page> {
  const desk = await pageOf(t, browser, await adminLink(), { viewport: DESK });
  await desk.waitForURL(`${url}/`);
  await desk.goto(`${url}/provisioning`);
  await desk.getByLabel('Number the box shows').fill(number);
  await desk.getByRole('button', { name: 'Approve' }).click();
  return desk;
}

t.test('with a phone: the code on the box is read, opened, claimed, approved and turns green', async (t) => {
  if (await skipWithoutBrowser(t)) return;
  const place = await world(t);
  const browser = await launchBrowser();
  t.teardown(() => browser.close());

  const boxPage = await pageOf(t, browser, place.box.localUrl, { viewport: DESK });
  await boxPage.locator('.qr').waitFor({ timeout: 30_000 });
  const opened = decodeQr(PNG.sync.read(await boxPage.locator('.qr').screenshot()));
  if (opened === undefined) throw new Error('no phone could read the code on the box');
  t.ok(opened.startsWith(`${place.url}/claim#v1.`), 'the code leads to the relay');

  const phone = await pageOf(t, browser, opened, { viewport: PHONE, hasTouch: true });
  await phone.getByLabel('E-mail').fill(TECHNICIAN);
  await phone.getByLabel('Password').fill(PASSWORD);
  await phone.getByRole('button', { name: 'Sign in' }).click();
  const number = await numberOn(boxPage);
  await phone.getByText(number).waitFor();
  await phone.getByText(/^(All \d checks of the box are fine|The box says: )/).waitFor();
  t.equal(await phone.getByRole('radio', { name: /Elm street/ }).count(), 0, 'only the sites given to the technician');
  await phone.getByRole('radio', { name: /Harbor view/ }).check();
  await phone.getByRole('button', { name: 'The numbers are equal, claim' }).click();
  await phone.getByText('An admin approves it under Provisioning').waitFor();
  await approve(t, browser, place, number);

  await phone.getByText('The box is live').waitFor();
  t.equal(await phone.evaluate('document.documentElement.scrollWidth'), PHONE.width, 'nothing is wider than the phone');
  await boxPage.getByText('Harbor view').first().waitFor();
  await startAgent(t, place);
  await phone.getByText('1 agent reported.').waitFor();
});

t.test('with a printed label: read by a camera at the box, approved, and turns green', async (t) => {
  if ((await skipWithoutBrowser(t)) || skipWithout(t, LABEL_NEEDS)) return;
  const place = await world(t);
  const sheet = await printLabels(place);
  const label = urlsOn(await pagesOf(sheet), LABELS_A_PAGE, 'a4').find((url) => url !== undefined);
  if (label === undefined) throw new Error('no camera could read the label');
  const film = join(place.dir, 'label.y4m');
  writeFileSync(film, filmOf(label));
  const browser = await chromium.launch({
    executablePath: (await findBrowser()) as string,
    args: [...BROWSER_FLAGS, ...cameraFlags(film), CAMERA_GRANTED],
  });
  t.teardown(() => browser.close());

  const boxPage = await pageOf(t, browser, place.box.localUrl, { viewport: PHONE });
  await boxPage.getByRole('button', { name: 'Scan it with the camera' }).click();
  await boxPage.locator('.qr').waitFor({ state: 'detached' });
  const number = await numberOn(boxPage);
  await approve(t, browser, place, number);
  await boxPage.getByText('Harbor view').first().waitFor();
  const { appliance } = await place.admin.call<{ appliance: { state: string } | null }>(
    'GET',
    `/api/sites/${place.siteId}`,
  );
  t.equal(appliance?.state, 'active');
});

async function printLabels({ url, admin, siteId, dir }: World): Promise<string> {
  const wish = { labels: [{ siteId, count: 1 }], paper: 'a4', ttlMinutes: 60, preApproved: false };
  const answer = await sendAsBrowser(url, admin.cookie, 'POST', '/api/provision/labels', wish);
  const file = join(dir, 'labels.pdf');
  writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
  return file;
}
