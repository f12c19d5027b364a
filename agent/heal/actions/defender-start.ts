import { defenderLinux } from '../antimalware/linux.ts';
import { defenderWindows } from '../antimalware/windows.ts';
import { defineRepair } from '../repair.ts';

/** Starts the anti-malware engine that is installed, and its real-time protection. Nobody wants that undone. */
export const defenderStart = defineRepair({
  name: 'defender_start',
  ways: { linux: defenderLinux, win32: defenderWindows },
  elsewhere: 'macOS starts XProtect by itself, and engines of other makers have their own. Look at the engine by hand.',
});
