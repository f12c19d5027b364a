import { takeLinuxInventory } from './inventory-linux.ts';
import { takeMacInventory } from './inventory-macos.ts';
import { takeWindowsInventory } from './inventory-windows.ts';
import { matchRmm, type RmmSighting } from './match.ts';

/** Other remote management tools on this machine; empty where the agent cannot look. Never throws. */
export async function detectRmm(signal?: AbortSignal): Promise<RmmSighting[]> {
  try {
    switch (process.platform) {
      case 'linux':
        return matchRmm(await takeLinuxInventory(signal));
      case 'darwin':
        return matchRmm(await takeMacInventory(signal));
      case 'win32':
        return matchRmm(await takeWindowsInventory(signal === undefined ? {} : { signal }));
      default:
        return [];
    }
  } catch {
    return [];
  }
}
