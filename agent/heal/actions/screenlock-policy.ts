import { defineRepair } from '../repair.ts';
import { screenlockLinux } from '../screenlock/linux.ts';
import { screenlockWindows } from '../screenlock/windows.ts';

/** Sets the machine's own policy: after `idle_seconds` without input the screens of all people lock. Undo puts back what was. */
export const screenlockPolicy = defineRepair({
  name: 'screenlock_policy',
  ways: { linux: screenlockLinux, win32: screenlockWindows },
  elsewhere: 'macOS takes the time of its screen lock from a configuration profile only. Give it one by your MDM.',
});
