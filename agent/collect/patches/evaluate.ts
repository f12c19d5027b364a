import type { Facts } from '@sitewarden/agent-proto/agent';
import { countFact, flagFact, textFact } from '../facts.ts';
import type { Verdict } from '../types.ts';
import { verdictsOf } from '../verdict.ts';

/** Debian republishes its security archive at least weekly; an older index has missed updates. */
const MAX_INDEX_AGE_DAYS = 7;

/** What makes a list fresh, by its manager. */
const REFRESH: Readonly<Record<string, string>> = {
  dnf: 'dnf makecache',
  windows_update: 'a look for updates in Settings, Windows Update',
  softwareupdate: 'softwareupdate --list',
};

const verdicts = verdictsOf('patches', 'no security update is pending and the package lists are at most 7 days old');

/** Pending updates fail whatever the age of the lists; none pending says something only when the lists are fresh. */
export function evaluatePatches(facts: Facts): Verdict {
  const pending = countFact(facts, 'pending_security');
  const manager = textFact(facts, 'manager');
  const ageDays = countFact(facts, 'index_age_days');
  const reboot = flagFact(facts, 'reboot_required');
  const problem = textFact(facts, 'probe_error');
  if (pending !== undefined && pending > 0) {
    return verdicts.fail(
      'high',
      `${pending} security update(s) pending`,
      'Security updates are published and not installed. Install them.',
    );
  }
  if (problem !== undefined) return verdicts.unknown(problem);
  if (pending === undefined || manager === undefined || reboot === undefined) {
    return verdicts.unknown('It is not known whether updates are pending. Run the check again.');
  }
  if (ageDays === undefined) {
    return verdicts.unknown('The age of the package lists is not known. Refresh them and check the clock.');
  }
  if (ageDays > MAX_INDEX_AGE_DAYS) {
    return verdicts.unknown(
      `The package lists are ${ageDays} days old. Refresh them, for example with ${REFRESH[manager] ?? 'apt-get update'}.`,
    );
  }
  if (reboot) {
    return verdicts.fail(
      'medium',
      'a restart is pending',
      'Updates are installed and take effect only after a restart. Restart this machine.',
    );
  }
  return verdicts.pass(
    `no security update pending, lists ${ageDays} day(s) old`,
    `${manager} knows of no security update that is not installed.`,
  );
}
