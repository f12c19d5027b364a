import { bitlockerResume } from './actions/bitlocker-resume.ts';
import { defenderStart } from './actions/defender-start.ts';
import { firewallOn } from './actions/firewall-on.ts';
import { screenlockPolicy } from './actions/screenlock-policy.ts';
import { securityUpdatesInstall } from './actions/security-updates-install.ts';
import { securityUpdatesScan } from './actions/security-updates-scan.ts';
import { signaturesUpdate } from './actions/signatures-update.ts';
import { startService } from './actions/start-service.ts';
import type { Repair, RepairName } from './repair.ts';

/** Complete by type: an action of the contract that is missing here does not compile. */
export const REPAIRS: Readonly<Record<RepairName, Repair>> = {
  firewall_on: firewallOn,
  defender_start: defenderStart,
  signatures_update: signaturesUpdate,
  screenlock_policy: screenlockPolicy,
  start_service: startService,
  security_updates_scan: securityUpdatesScan,
  security_updates_install: securityUpdatesInstall,
  bitlocker_resume: bitlockerResume,
};

export const isRepairName = (name: string): name is RepairName => Object.hasOwn(REPAIRS, name);
