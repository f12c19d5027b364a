import type { Tx } from '../store/index.ts';
import { listDevices } from '../store/repositories/devices.ts';
import { readCurrentBox } from '../store/repositories/sites.ts';
import { assertSite } from './assert-site.ts';

/** More than any clinic has; a network that makes up devices must not make the page unusable. */
const MAX_DEVICES = 2000;

/** Devices the box at a site has seen. Throws NOT_FOUND. */
export async function listSiteDevices(trx: Tx, siteId: string, nowMs: number) {
  await assertSite(trx, siteId);
  const box = await readCurrentBox(trx, siteId);
  return { devices: box ? await listDevices(trx, box.id, MAX_DEVICES) : [], asOfMs: nowMs };
}
