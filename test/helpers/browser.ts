import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import type { Test } from 'tap';

/** Headless, and nothing that talks to anybody but the page under test. */
export const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const SYSTEM_BROWSER = '/usr/bin/chromium';

/** SITEWARDEN_CHROMIUM, else the system's Chromium, else the one that came with the development packages. */
export async function findBrowser(): Promise<string | undefined> {
  const named = process.env.SITEWARDEN_CHROMIUM;
  for (const path of named ? [named] : [SYSTEM_BROWSER]) {
    if (isProgram(path)) return path;
  }
  if (named) return undefined;
  const { default: packed } = await import('@sparticuz/chromium');
  return packed.executablePath().catch(() => undefined);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A browser with a profile of its own, which goes when it is closed. Throws when there is none on this machine. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = await findBrowser();
  if (executablePath === undefined)
    throw new Error('No Chromium found. Install one, or name it in SITEWARDEN_CHROMIUM.');
  return chromium.launch({ executablePath, args: BROWSER_FLAGS });
}

const BUILT_PAGE = join(import.meta.dirname, '..', '..', 'relay', 'web', 'dist', 'index.html');

/** True when browser tests cannot run here: the test is skipped and says why; with CI=true that is a failure. */
export async function skipWithoutBrowser(t: Test): Promise<boolean> {
  const missing = [
    ...((await findBrowser()) === undefined ? ['Chromium'] : []),
    ...(existsSync(BUILT_PAGE) ? [] : ['the built dashboard (npm run setup)']),
  ];
  if (missing.length === 0) return false;
  const text = `needs ${missing.join(' and ')}`;
  if (process.env.CI === 'true') t.fail(text);
  else t.pass(text, { skip: text });
  return true;
}
