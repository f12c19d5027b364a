import { onPlatforms } from '../on-platforms.ts';
import type { Collector } from '../types.ts';
import { evaluatePatches } from './evaluate.ts';
import { collectPatches } from './linux.ts';
import { collectSoftwareupdate, SOFTWAREUPDATE_TIMEOUT_MS } from './macos.ts';
import { collectWindowsUpdate } from './windows.ts';

/** Pending security updates by the machine's own package manager: apt, dnf, Windows Update or softwareupdate. */
export const patches: Collector = {
  name: 'patches',
  ...onPlatforms({ linux: collectPatches, win32: collectWindowsUpdate, darwin: collectSoftwareupdate }),
  windowsSections: ['reboot', 'hotfixes', 'updates'],
  timeoutMs: { win32: 115_000, darwin: SOFTWAREUPDATE_TIMEOUT_MS + 10_000 },
  evaluate: evaluatePatches,
};
