import { onPlatforms } from '../on-platforms.ts';
import type { Collector } from '../types.ts';
import { evaluateFirewall } from './evaluate.ts';
import { collectFirewall } from './linux.ts';
import { collectFirewallMac } from './macos.ts';
import { collectFirewallWindows } from './windows.ts';

/** The host's own packet filter: the rules the kernel of Linux holds, Windows Firewall, the application firewall of macOS. */
export const firewall: Collector = {
  name: 'firewall',
  ...onPlatforms({ linux: collectFirewall, win32: collectFirewallWindows, darwin: collectFirewallMac }),
  windowsSections: ['firewall', 'firewall_products', 'services'],
  evaluate: evaluateFirewall,
};
