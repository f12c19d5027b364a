import { takeLinuxInventory } from './inventory-linux.ts';
import { takeMacInventory } from './inventory-macos.ts';
import { takeWindowsInventory } from './inventory-windows.ts';
import { type Inventory, matchRmm, type RmmSighting } from './match.ts';

/** Other remote management tools on this machine; undefined where the agent could not look at all of it. Never throws. */
export async function detectRmm(signal?: AbortSignal): Promise<RmmSighting[] | undefined> {
  const inventory = await takeInventory(signal).catch(() => undefined);
  return inventory?.isWhole === true ? matchRmm(inventory) : undefined;
}

async function takeInventory(signal?: AbortSignal): Promise<Inventory | undefined> {
  switch (process.platform) {
    case 'linux':
      return takeLinuxInventory(signal);
    case 'darwin':
      return takeMacInventory(signal);
    case 'win32':
      return takeWindowsInventory(signal === undefined ? {} : { signal });
    default:
      return undefined;
  }
}
