import type { Facts } from '@sitewarden/agent-proto/agent';
import type { CheckName } from '@sitewarden/agent-proto/checks';
import { bitlockerFacts } from '../../../agent/collect/bitlocker/windows.ts';
import { antimalwareFacts } from '../../../agent/collect/defender/windows.ts';
import { windowsFirewallFacts } from '../../../agent/collect/firewall/windows.ts';
import { windowsUpdateFacts } from '../../../agent/collect/patches/windows.ts';
import { windowsLockFacts } from '../../../agent/collect/screenlock/windows.ts';
import { windowsServiceFacts } from '../../../agent/collect/services/windows.ts';
import type { SectionAnswer, SectionName } from '../../../agent/windows/index.ts';

/** When the recordings were made. */
export const RECORDED_AT_MS = Date.UTC(2026, 10, 22);

export type Ask = (section: SectionName) => SectionAnswer;

/** What the collector of a check makes of what Windows answered. */
export const WINDOWS_FACTS: Record<CheckName, (ask: Ask) => Facts> = {
  bitlocker: (ask) =>
    bitlockerFacts({ system: ask('system'), bitlocker: ask('bitlocker'), disks: ask('disks'), tpm: ask('tpm') }),
  defender: (ask) =>
    antimalwareFacts({ defender: ask('defender'), antivirus: ask('antivirus'), services: ask('services') }),
  firewall: (ask) =>
    windowsFirewallFacts({
      firewall: ask('firewall'),
      products: ask('firewall_products'),
      services: ask('services'),
    }),
  patches: (ask) =>
    windowsUpdateFacts({
      updates: ask('updates'),
      reboot: ask('reboot'),
      hotfixes: ask('hotfixes'),
      nowMs: RECORDED_AT_MS,
    }),
  screenlock: (ask) => windowsLockFacts(ask('screenlock')),
  services: (ask) => windowsServiceFacts('Spooler', ask('services')) ?? { service: 'Spooler', state: 'unknown' },
};
