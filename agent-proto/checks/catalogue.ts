/**
 * The checks and the closed set of facts each may carry. A name that is not here crosses no wire.
 * `controls` are the defaults; a result carries the ones that apply to its subject.
 */
export const CHECKS = {
  bitlocker: {
    title: 'Disk encryption',
    controls: ['HIPAA:164.312(a)(2)(iv)', 'HIPAA:164.312(e)(2)(ii)'],
    facts: [
      'technology',
      'volumes',
      'encrypted_volumes',
      'unencrypted_volumes',
      'root_encrypted',
      'swap_encrypted',
      'unprotected_volumes',
      'converting_volumes',
      'locked_volumes',
      'key_protectors',
      'recovery_protector',
      'escrow',
      'tpm_present',
      'probe_error',
    ],
  },
  defender: {
    title: 'Anti-malware',
    controls: ['HIPAA:164.308(a)(5)(ii)(B)'],
    facts: [
      'engine',
      'engine_version',
      'engine_running',
      'realtime',
      'signature_age_days',
      'engines_found',
      'reported_by',
      'signatures_current',
      'tamper_protected',
      'probe_error',
    ],
  },
  firewall: {
    title: 'Firewall',
    controls: ['HIPAA:164.312(e)(1)', 'HIPAA:164.308(a)(1)(ii)(B)'],
    facts: [
      'technology',
      'active',
      'input_policy',
      'rule_count',
      'profiles_off',
      'policy_source',
      'stealth',
      'probe_error',
    ],
  },
  patches: {
    title: 'Security updates',
    controls: ['HIPAA:164.308(a)(5)(ii)(B)', 'HIPAA:164.308(a)(1)(ii)(B)'],
    facts: [
      'manager',
      'pending_security',
      'pending_total',
      'index_age_days',
      'reboot_required',
      'hotfixes',
      'last_install_age_days',
      'sample',
      'probe_error',
    ],
  },
  screenlock: {
    title: 'Screen lock',
    controls: ['HIPAA:164.312(a)(2)(iii)', 'HIPAA:164.310(b)'],
    facts: ['desktop', 'lock_enabled', 'idle_seconds', 'source', 'graphical_sessions', 'probe_error'],
  },
  services: {
    title: 'Required service',
    controls: ['HIPAA:164.308(a)(1)(ii)(D)'],
    facts: ['service', 'manager', 'state', 'detail', 'probe_error'],
  },
} as const satisfies Record<string, CheckDefinition>;

export interface CheckDefinition {
  title: string;
  controls: readonly string[];
  facts: readonly string[];
}

export type CheckName = keyof typeof CHECKS;

export const CHECK_NAMES = Object.keys(CHECKS) as CheckName[];

export const isCheckName = (name: string): name is CheckName => Object.hasOwn(CHECKS, name);
