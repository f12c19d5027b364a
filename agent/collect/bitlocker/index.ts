import { onPlatforms } from '../on-platforms.ts';
import type { Collector } from '../types.ts';
import { evaluateBitlocker } from './evaluate.ts';
import { collectBitlocker } from './linux.ts';
import { collectFilevault } from './macos.ts';
import { collectBitlockerWindows } from './windows.ts';

/** Disk encryption: LUKS or any other dm-crypt layer, BitLocker, FileVault. */
export const bitlocker: Collector = {
  name: 'bitlocker',
  ...onPlatforms({ linux: collectBitlocker, win32: collectBitlockerWindows, darwin: collectFilevault }),
  windowsSections: ['system', 'bitlocker', 'disks', 'tpm'],
  evaluate: evaluateBitlocker,
};
