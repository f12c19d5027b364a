import { defineRepair } from '../repair.ts';
import { scanLinux } from '../updates/scan-linux.ts';
import { scanMac } from '../updates/scan-macos.ts';
import { scanWindows } from '../updates/scan-windows.ts';

/** Asks the machine's update source what there is, so that the check speaks of today. Installs nothing. */
export const securityUpdatesScan = defineRepair({
  name: 'security_updates_scan',
  ways: { linux: scanLinux, win32: scanWindows, darwin: scanMac },
  elsewhere: 'The agent knows no package manager of this operating system. Look by hand.',
});
