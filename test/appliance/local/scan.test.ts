import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { waitFor } from '../../../scripts/lib/wait.ts';
import { CAMERA_GRANTED, cameraFlags, filmOf } from '../../helpers/camera-film.ts';
import { localPage } from '../../helpers/local-page.ts';
import { findTool, skipWithout } from '../../helpers/needs.ts';

const LABEL = 'https://relay.example.com/code#v1.AbCdEfGhIjKlMnOpQrStUv';
const TIMEOUT = { timeout: 30_000 };
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];

/** A browser whose camera shows `film`; without one it has none. */
async function open(t: Test, url: string, film: Buffer | undefined, permission = 'granted'): Promise<Page> {
  const file = join(t.testdir(), 'film.y4m');
  if (film !== undefined) writeFileSync(file, film);
  const args = [
    ...ARGS,
    ...(film === undefined ? [] : cameraFlags(file)),
    permission === 'granted' ? CAMERA_GRANTED : '--deny-permission-prompts',
  ];
  const browser = await chromium.launch({ executablePath: findTool('chromium') as string, args });
  t.teardown(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 375, height: 800 } });
  await page.goto(url);
  return page;
}

/** Where a browser lets a page have the camera: the box's own screen. */
const onTheBox = (url: string): string => url.replace('127.0.0.1', 'localhost');

function site(t: Test) {
  return localPage(t).then(({ url, said }) => {
    const taken: string[] = [];
    said.claimWithCode = async (text) => {
      taken.push(text);
      return said.claim;
    };
    return { url, taken };
  });
}

t.test('a label held before the camera gives the box its code', async (t) => {
  if (skipWithout(t, { tools: ['chromium'] })) return;
  const { url, taken } = await site(t);
  const page = await open(t, onTheBox(url), filmOf(LABEL));
  await page.click('#scan', TIMEOUT);
  await waitFor('the code', () => taken.length > 0);
  t.strictSame(taken, [LABEL]);
});

t.test('paper without a code gives nothing, and the camera can be stopped', async (t) => {
  if (skipWithout(t, { tools: ['chromium'] })) return;
  const { url, taken } = await site(t);
  const page = await open(t, onTheBox(url), filmOf(undefined));
  await page.click('#scan', TIMEOUT);
  await page.locator('#scan-says', { hasText: 'Hold the label' }).waitFor(TIMEOUT);
  await waitFor('some pictures', () => page.evaluate('document.getElementById("scan-picture").currentTime > 0.5'));
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 375, 'the picture fits a phone');
  await page.click('#scan-stop');
  await page.locator('#scanner').waitFor({ ...TIMEOUT, state: 'hidden' });
  t.equal(await page.evaluate('document.getElementById("scan-picture").srcObject'), null, 'the camera is off');
  t.ok(await page.isVisible('#scan'), 'it can be tried again');
  t.strictSame(taken, []);
});

t.test('a camera that may not be used, and none at all, are told in words with what to do', async (t) => {
  if (skipWithout(t, { tools: ['chromium'] })) return;
  const { url } = await site(t);
  const refused = await open(t, onTheBox(url), filmOf(LABEL), 'denied');
  await refused.click('#scan', TIMEOUT);
  await refused.locator('#scan-says', { hasText: 'may not use the camera' }).waitFor(TIMEOUT);
  const none = await open(t, onTheBox(url), undefined);
  await none.click('#scan', TIMEOUT);
  await none.locator('#scan-says', { hasText: 'No camera was found' }).waitFor(TIMEOUT);
  t.ok(await none.isVisible('#code'), 'typing is left');
});

t.test('where a browser gives no camera to pages, no button promises one; a scanner that types works', async (t) => {
  if (skipWithout(t, { tools: ['chromium'] })) return;
  const { url, taken } = await site(t);
  const page = await open(t, url, filmOf(LABEL));
  // Loopback is trusted by its number too; on any other address, the browser's own word is this.
  await page.addInitScript('Object.defineProperty(window, "isSecureContext", { value: false })');
  await page.reload();
  t.notOk(await page.isVisible('#scan'));
  await page.evaluate('document.activeElement.blur()');
  await page.keyboard.type(LABEL);
  t.equal(await page.inputValue('#code'), LABEL, 'typed though the field was not chosen');
  await page.keyboard.press('Enter');
  await waitFor('the code', () => taken.length > 0);
  t.strictSame(taken, [LABEL]);
});
