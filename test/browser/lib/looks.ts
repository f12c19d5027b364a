import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { lookAtPage } from './look-at-page.mjs';
import { DESK, PHONE } from './stage.ts';

/** Set to a folder to keep what the pages looked like. */
const PICTURES = process.env.SITEWARDEN_PICTURES;

/** Looks for what nobody can read or reach, at both widths in both schemes; leaves the page at the width it had. */
export async function look(t: Test, page: Page, what: string): Promise<void> {
  const was = page.viewportSize() ?? DESK;
  for (const [width, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
      t.strictSame(await page.evaluate(lookAtPage), [], `${what}, ${width}, ${colorScheme}`);
      if (PICTURES) await page.screenshot({ path: `${PICTURES}/${what}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
  await page.setViewportSize(was);
}
