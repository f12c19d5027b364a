import { onPlatforms } from '../on-platforms.ts';
import type { Collector } from '../types.ts';
import { evaluateDefender } from './evaluate.ts';
import { collectDefender } from './linux.ts';
import { collectXprotect } from './macos.ts';
import { collectDefenderWindows } from './windows.ts';

/** An active anti-malware engine: by processes only root can have put there, by Windows Security, or XProtect. */
export const defender: Collector = {
  name: 'defender',
  ...onPlatforms({ linux: collectDefender, win32: collectDefenderWindows, darwin: collectXprotect }),
  windowsSections: ['defender', 'antivirus', 'services'],
  timeoutMs: { darwin: 40_000 },
  evaluate: evaluateDefender,
};
