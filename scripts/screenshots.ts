// Takes the pictures of docs/images from real programs on this host: `npm start` in a scratch folder, then a browser.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchBrowser } from '../test/helpers/browser.ts';
import { startProgram } from './lib/programs.ts';
import { waitFor } from './lib/wait.ts';

const root = join(import.meta.dirname, '..');
const images = join(root, 'docs', 'images');
const dataDir = mkdtempSync(join(tmpdir(), 'sitewarden-pictures-'));
mkdirSync(images, { recursive: true });

const demo = await startProgram({
  name: 'npm start',
  entry: join(root, 'scripts', 'start.ts'),
  args: ['--json', '--data-dir', dataDir],
  timeoutMs: 120_000,
});
await waitFor('the repair', () => demo.output().includes('cosigned)'), 120_000);
const browser = await launchBrowser();
try {
  const { signInUrl, siteUrl, relayUrl, applianceUrl } = demo.ready as Record<string, string>;
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(signInUrl as string);
  await page.getByText('This host').first().waitFor();
  const shots = [
    { name: 'sites', url: `${relayUrl}/` },
    { name: 'site', url: siteUrl as string },
    { name: 'provisioning', url: `${relayUrl}/provisioning` },
    { name: 'box', url: applianceUrl as string },
  ];
  for (const { name, url } of shots) {
    for (const width of [375, 1440]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: width === 375 ? 812 : 900 });
        await page.emulateMedia({ colorScheme });
        await page.goto(url);
        await page.waitForLoadState('load');
        await page
          .getByText(name === 'provisioning' ? 'code' : 'This host')
          .first()
          .waitFor();
        await page.screenshot({ path: join(images, `${name}-${width}-${colorScheme}.png`) });
      }
    }
  }
} finally {
  await browser.close();
  await demo.stop(20_000);
  rmSync(dataDir, { recursive: true, force: true });
}
