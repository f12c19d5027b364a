import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import jsqr from 'jsqr';
import { type Browser, chromium, type Page } from 'playwright-core';
import { PNG } from 'pngjs';
import t from 'tap';
import { applianceErrors } from '../../../appliance/errors.ts';
import { START_MS } from '../../helpers/appliance-context.ts';
import { CLAIMED, localPage, SHOWING } from '../../helpers/local-page.ts';
import { findTool, skipWithout } from '../../helpers/needs.ts';

const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
/** An expression: the types of a browser have no place in a server's project. */
const LOW_CONTRAST = readFileSync(join(import.meta.dirname, 'in-browser', 'low-contrast.js'), 'utf8');
const TIMEOUT = { timeout: 30_000 };
let browser: Browser | undefined;
t.teardown(() => browser?.close());

/** A page that fails the test for whatever the browser complains about. */
async function open(t: Parameters<typeof localPage>[0], url: string, options: { width?: number; dark?: boolean } = {}) {
  browser ??= await chromium.launch({ executablePath: findTool('chromium') as string, args: ARGS });
  const viewport = { width: options.width ?? 375, height: 800 };
  const page = await browser.newPage({ viewport, colorScheme: options.dark ? 'dark' : 'light' });
  t.teardown(() => page.close());
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}

const textOf = (page: Page, selector: string) => page.locator(selector).innerText();

t.test('a phone can read the QR code, in the dark theme too', async (t) => {
  if (skipWithout(t, { tools: ['chromium'] })) return;
  const { url } = await localPage(t);
  for (const dark of [false, true]) {
    const { page, complaints } = await open(t, url, { dark });
    const { data, width, height } = PNG.sync.read(await page.locator('.qr').screenshot());
    t.equal(jsqr.default(new Uint8ClampedArray(data), width, height)?.data, SHOWING.claimUrl);
    t.strictSame(complaints, []);
  }
});

t.test('at 375 and 1440 px nothing is wider than the screen', async (t) => {
  if (skipWithout(t, { tools: ['chromium'] })) return;
  const { url, said } = await localPage(t);
  for (const claim of [SHOWING, CLAIMED]) {
    said.claim = claim;
    for (const width of [375, 1440]) {
      const { page } = await open(t, url, { width });
      await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, `${claim.phase} at ${width}`);
    }
  }
});

t.test(
  'it follows the box by itself, keeps what is typed and what is opened, and loses the form once claimed',
  async (t) => {
    if (skipWithout(t, { tools: ['chromium'] })) return;
    const { url, said } = await localPage(t);
    const { page, complaints } = await open(t, url);
    await page.fill('#code', 'bcdf');
    await page.click('#claim-address summary');
    said.claim = { ...SHOWING, number: '11112222' };
    await page.locator('.number', { hasText: '1111 2222' }).waitFor(TIMEOUT);
    t.equal(await page.inputValue('#code'), 'bcdf');
    t.equal(await page.locator('#claim-address').getAttribute('open'), '');

    said.claim = CLAIMED;
    said.uplink = { ...said.uplink, state: 'ok', lastCheckinAtMs: START_MS };
    await page.locator('#typed').waitFor({ ...TIMEOUT, state: 'detached' });
    t.match(await textOf(page, '#box'), /Lakeside Dental/);
    t.match(await page.title(), /Lakeside Dental/);
    t.strictSame(complaints, []);
  },
);

t.test('it says so when the box does not answer any more, and stops saying so when it does', async (t) => {
  if (skipWithout(t, { tools: ['chromium'] })) return;
  const { url } = await localPage(t);
  const { page } = await open(t, url);
  t.equal(await page.isVisible('#stale'), false);
  t.equal(await page.isVisible('#live-word'), true);
  await page.route('**/*', (route) => route.abort());
  await page.waitForSelector('#stale', { ...TIMEOUT, state: 'visible' });
  t.match(await textOf(page, '#stale'), /Not live: the box has not answered for 1\d s/);
  t.equal(await page.isVisible('#live-word'), false);
  await page.unroute('**/*');
  await page.waitForSelector('#stale', { ...TIMEOUT, state: 'hidden' });
});

t.test('a code is typed and taken, or the reason stands beside the field', async (t) => {
  if (skipWithout(t, { tools: ['chromium'] })) return;
  const { url, said } = await localPage(t);
  const { page } = await open(t, url);
  said.claimWithCode = () => Promise.reject(applianceErrors.make('CODE_INVALID'));
  await page.fill('#code', 'BCDF GHJKL MNPQR');
  await page.press('#code', 'Enter');
  await page.waitForSelector('#code-error', TIMEOUT);
  t.match(await textOf(page, '#code-error'), /unknown or has expired\. Ask for a new one\./);
  t.equal(await page.evaluate('document.activeElement.id'), 'code');

  const typed: string[] = [];
  said.claimWithCode = async (text) => {
    typed.push(text);
    said.claim = { ...SHOWING, phase: 'claimed', claimUrl: null };
    return said.claim;
  };
  await page.fill('#code', 'BCDF GHJKL MNPQR');
  await page.click('button');
  await page.locator('.headline', { hasText: 'waiting for approval' }).waitFor(TIMEOUT);
  t.strictSame(typed, ['BCDF GHJKL MNPQR']);
  t.equal(new URL(page.url()).pathname, '/');
});

t.test('every text keeps a contrast of 4.5 to 1, in both themes', async (t) => {
  if (skipWithout(t, { tools: ['chromium'] })) return;
  const { url, said } = await localPage(t);
  const error = { code: 'RELAY_TLS', message: 'The relay could not prove who it is. Check the clock.', atMs: START_MS };
  said.uplink = { ...said.uplink, state: 'retrying', lastError: error };
  const doctor = [
    { name: 'link', state: 'ok', code: null, text: 'A sentence.' },
    { name: 'dns', state: 'failed', code: 'DNS_SILENT', text: 'A sentence.' },
    { name: 'tcp', state: 'skipped', code: null, text: 'A sentence.' },
  ] as const;
  said.claim = { ...SHOWING, doctor };
  for (const dark of [false, true]) {
    const { page } = await open(t, url, { dark });
    t.strictSame(await page.evaluate(LOW_CONTRAST), [], dark ? 'dark' : 'light');
  }
});
