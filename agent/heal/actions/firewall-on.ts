import { firewallLinux } from '../firewall/linux.ts';
import { firewallMac } from '../firewall/macos.ts';
import { firewallWindows } from '../firewall/windows.ts';
import { defineRepair } from '../repair.ts';

/** Turns the firewall on where it is off. Rules that somebody made are never changed. Undo turns it off again. */
export const firewallOn = defineRepair({
  name: 'firewall_on',
  ways: { linux: firewallLinux, win32: firewallWindows, darwin: firewallMac },
  elsewhere: 'The agent knows no firewall of this operating system. Turn it on by hand.',
});
