import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Test } from 'tap';
import { createSignInLink } from '../../../relay/accounts/index.ts';
import type { Role } from '../../../relay/lib/roles.ts';
import { patient } from '../../../scripts/lib/wait.ts';
import { launchBrowser, skipWithoutBrowser } from '../../helpers/browser.ts';
import { seedPartner, seedSite, startTestRelay, type TestRelay } from '../../helpers/relay.ts';
import type { StaffClient } from '../../helpers/staff-client.ts';
import { LiveBox } from './live-box.ts';

export const PHONE = { width: 375, height: 812 };
export const DESK = { width: 1440, height: 900 };

export interface Stage {
  readonly relay: TestRelay;
  readonly browser: Browser;
  /** A new MSP with an admin, alone with its sites on this relay. */
  newPartner(name?: string): Promise<Partner>;
}

export interface Partner {
  readonly id: string;
  readonly admin: StaffClient;
  signInLink(role?: Role, name?: string): Promise<string>;
  /** A page of a signed-in person; problems the browser reports fail the test. */
  open(path: string, options?: BrowserContextOptions & { role?: Role }): Promise<Page>;
  newSite(name: string): Promise<string>;
  /** A site with a claimed box that has not checked in yet. */
  newBox(siteName: string): Promise<{ siteId: string; box: LiveBox }>;
}

/** One relay and one browser for a test file; undefined when there is no browser and the test was skipped. */
export async function openStage(t: Test): Promise<Stage | undefined> {
  if (await skipWithoutBrowser(t)) return undefined;
  const relay = await startTestRelay((fn) => t.teardown(fn));
  const browser = await launchBrowser();
  t.teardown(() => browser.close());
  const newPartner = async (name = 'Bluewater IT'): Promise<Partner> => {
    const id = await seedPartner(relay.store, name);
    const admin = await relay.staff(id, 'admin', 'Ada Moreno');
    const signInLink = async (role: Role = 'admin', person = `${role} person`) =>
      (
        await createSignInLink(relay.store, {
          publicUrl: relay.publicUrl,
          role,
          name: person,
          partnerId: id,
          nowMs: Date.now(),
        })
      ).url;
    const newSite = async (siteName: string) => (await seedSite(relay.store, id, siteName)).siteId;
    return {
      id,
      admin,
      signInLink,
      newSite,
      async open(path, { role = 'admin', ...options } = {}) {
        const page = await newPage(t, browser, options);
        await page.goto(await signInLink(role));
        await page.waitForURL(`${relay.url}/`);
        if (path !== '/') await page.goto(`${relay.url}${path}`);
        return page;
      },
      async newBox(siteName) {
        const siteId = await newSite(siteName);
        const { box, applianceId } = await relay.claim(admin, siteId);
        return { siteId, box: new LiveBox(box, { applianceId, relayHost: relay.services.keys.host }) };
      },
    };
  };
  return { relay, browser, newPartner };
}

/** A page in a fresh context. Uncaught errors and refusals by the content security policy fail the test. */
export async function newPage(t: Test, browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: DESK, ...options });
  t.teardown(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(patient(30_000));
  page.on('pageerror', (error) => t.fail(`the page failed: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy|React/.test(message.text())) t.fail(`the console says: ${message.text()}`);
  });
  return page;
}
