// Takes the pictures of docs/images from real programs on this host: `npm start` in a scratch folder, then a browser.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAppliance } from '../test/helpers/appliance.ts';
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
// A second box, fresh out of its carton: it shows its code and waits for a technician.
const { rootKey } = JSON.parse(readFileSync(join(dataDir, 'start.json'), 'utf8')) as { rootKey: string };
const fresh = await startAppliance({
  dataDir: join(dataDir, 'fresh'),
  relay: { url: String(demo.ready.relayUrl), rootKey },
});
const claimUrl = await waitFor('the code of the fresh box', async () => {
  const answer = await fetch(`${fresh.localUrl}/api/local/status`);
  return ((await answer.json()) as { claim: { claimUrl: string | null } }).claim.claimUrl;
});
const browser = await launchBrowser();
try {
  const { signInUrl, siteUrl, relayUrl, applianceUrl } = demo.ready as Record<string, string>;
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(signInUrl as string);
  await page.getByText('This host').first().waitFor();
  const shots = [
    { name: 'sites', url: `${relayUrl}/`, shows: 'This host' },
    { name: 'site', url: siteUrl as string, shows: 'This host' },
    { name: 'agents', url: `${siteUrl}/agents`, shows: 'What these numbers mean' },
    { name: 'provisioning', url: `${relayUrl}/provisioning`, shows: 'This host' },
    { name: 'people', url: `${relayUrl}/people`, shows: 'Invite' },
    { name: 'claim', url: claimUrl, shows: 'TEST-0001' },
    { name: 'box', url: applianceUrl as string, shows: 'This host' },
    { name: 'box-unclaimed', url: fresh.localUrl, shows: 'TEST-0001' },
  ];
  for (const { name, url, shows } of shots) {
    for (const width of [375, 1440]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: width === 375 ? 812 : 900 });
        await page.emulateMedia({ colorScheme });
        // A link that differs only behind the # would not load anew.
        await page.goto('about:blank');
        await page.goto(url);
        await page.getByText(shows).first().waitFor();
        await page.screenshot({ path: join(images, `${name}-${width}-${colorScheme}.png`) });
      }
    }
  }
} finally {
  await browser.close();
  await fresh.stop();
  await demo.stop(20_000);
  rmSync(dataDir, { recursive: true, force: true });
}
