import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import t from 'tap';
import { makeSignInLink } from '../../scripts/lib/relay-setup.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { launchBrowser, skipWithoutBrowser } from '../helpers/browser.ts';
import { declareDaemon, startSystem } from '../helpers/system.ts';
import { newPage, PHONE } from './lib/stage.ts';

const WAIT = { timeout: 60_000 };

t.test(
  'a real service is found stopped, tried dry, started, seen running and stopped again from the page',
  async (t) => {
    if (await skipWithoutBrowser(t)) return;
    const folder = mkdtempSync(join(tmpdir(), 'sitewarden-services-'));
    const service = 'front-desk';
    const manager = await declareDaemon(folder, service);
    await manager.start(service);
    // Looked at when somebody asks: what happens to the service is this test's doing and the rule's.
    const system = await startSystem({
      ...{ agentTier: 1, requiredServices: [service], pidfileDir: folder, checkIntervalMs: 86_400_000 },
    });
    const browser = await launchBrowser();
    t.teardown(async () => {
      await browser.close();
      await system.close();
      await manager.stop(service).catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    });
    await system.startAgent();
    const { staff, siteId } = system;
    const url = `/api/sites/${siteId}`;
    const agent = await waitFor(
      'the agent at its tier',
      async () => {
        const { agents } = await staff.call<{ agents: { id: string; tier: number }[] }>('GET', `${url}/agents`);
        return agents.find(({ tier }) => tier === 1);
      },
      60_000,
    );
    const state = async () => (await manager.status(service)).state;
    const checkNow = () => staff.call('POST', `${url}/orders`, { action: 'run_check', agentId: agent.id });

    // The rule for required services mends the first one; then it leaves the host alone for five minutes.
    await manager.stop(service);
    await checkNow();
    await waitFor('the rule to mend it', async () => (await state()) === 'running' || undefined, 60_000);

    const page = await newPage(t, browser);
    await page.goto(await makeSignInLink(join(system.base, 'relay.yaml')));
    await page.waitForURL(`${system.proxy.url}/`);
    await page.goto(`${system.proxy.url}/sites/${siteId}/agents/${agent.id}`);
    const panel = page.getByRole('region', { name: `Repairs of Required service ${service}` });
    const steps = panel.locator('[data-repair=start_service]');
    const press = (name: string) => steps.getByRole('button', { name, exact: true }).click();
    // Loaded anew until it shows: what is tested is the way of a repair; that pages are live has tests of its own.
    const shows = async (what: Locator) => {
      await waitFor(
        `the page to show ${what}`,
        async () => {
          await page.reload();
          return what.waitFor({ timeout: 4000 }).then(
            () => true,
            () => undefined,
          );
        },
        60_000,
      );
    };
    const passes = page.locator('#checks').getByText('Pass', { exact: true });
    await shows(passes);

    await manager.stop(service);
    await checkNow();
    for (const [width, viewport] of Object.entries({ phone: PHONE })) {
      await page.setViewportSize(viewport);
      await shows(panel.getByText('What would mend it: Start service'));
      await press('1. Try dry');
      await steps.getByText(/Dry run, nothing was changed.*front-desk/).waitFor(WAIT);
      t.equal(await state(), 'stopped', `${width}: a dry run starts nothing`);

      await press('2. Do it');
      await press('Yes, do it');
      await steps.getByText('Before and after: ').getByText('state from stopped to running').waitFor(WAIT);
      t.equal(await state(), 'running', width);
      await shows(passes);
      await panel.getByText('Repaired lately: Start service').waitFor(WAIT);

      await press('3. Undo');
      await press('Yes, undo it');
      await page.locator('#orders').getByText('Undone', { exact: true }).first().waitFor(WAIT);
      // By its facts: the rule for required services may have mended it since.
      await page.locator('#orders').getByText('state from running to stopped').first().waitFor(WAIT);
    }
  },
);
