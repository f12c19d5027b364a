import { CHECK_NAMES, type CheckName, KEY_PROTECTORS } from '../checks/index.ts';

/**
 * What a fact may be in evidence: a number, a truth, one word of a list, or several. A word outside its list is left out,
 * so that nobody who writes facts can put text of their own into a log that is kept for years.
 */
export type ClosedFact =
  | 'integer'
  | 'flag'
  /** The name of a service, which is the subject of the entry too. */
  | 'service'
  /** The id of an order of staff. */
  | 'order'
  /** As an order of staff names it. */
  | 'version'
  | { readonly one: readonly string[] }
  /** Words with commas between them, in one string. */
  | { readonly joined: readonly string[] }
  | { readonly list: readonly string[] };

export const ENGINE_NAMES = [
  'CrowdStrike Falcon',
  'Microsoft Defender',
  'SentinelOne',
  'Sophos',
  'ESET',
  'Bitdefender',
  'Trend Micro',
  'Palo Alto Cortex XDR',
  'Carbon Black',
  'Kaspersky',
  'Trellix',
  'Elastic Defend',
  'WithSecure',
  'Cybereason',
  'Symantec',
  'ClamAV',
  'Malwarebytes',
  'Webroot',
  'Norton',
  'McAfee',
  'Avast',
  'AVG',
  'Avira',
  'G DATA',
  'Panda',
  'Cylance',
  'Jamf Protect',
  'Apple XProtect',
  'other anti-malware',
] as const;

const FATES = ['none', 'accept', 'drop', 'reject', 'unclear'] as const;
/** `by_program`: the application firewall of macOS, which asks who listens and not which port. */
const POLICIES = ['by_program', ...FATES, ...FATES.flatMap((ipv4) => FATES.map((ipv6) => `ipv4=${ipv4} ipv6=${ipv6}`))];
const DESKTOPS = [
  'gnome',
  'cinnamon',
  'mate',
  'kde',
  'xfce',
  'lxqt',
  'sway',
  'windows',
  'macos',
  'unknown',
  'none',
  'installed',
] as const;

/** Facts of the catalogue that are not here (free text, names of files and packages) never become evidence. */
export const CLOSED_FACTS: Readonly<Record<CheckName, Readonly<Record<string, ClosedFact>>>> = {
  bitlocker: {
    technology: { one: ['none', 'luks', 'dm-crypt', 'bitlocker', 'filevault'] },
    volumes: 'integer',
    encrypted_volumes: 'integer',
    root_encrypted: 'flag',
    swap_encrypted: 'flag',
    key_protectors: { list: KEY_PROTECTORS },
    recovery_protector: 'flag',
    escrow: { one: ['none', 'not_known'] },
    tpm_present: 'flag',
  },
  defender: {
    engine: { one: ENGINE_NAMES },
    engine_running: 'flag',
    realtime: 'flag',
    signature_age_days: 'integer',
    engines_found: { list: ENGINE_NAMES },
    reported_by: { one: ['defender', 'security_center', 'service', 'process', 'xprotect'] },
    signatures_current: 'flag',
    tamper_protected: 'flag',
  },
  firewall: {
    technology: { one: ['none', 'nftables', 'firewalld', 'ufw', 'iptables', 'windows', 'third_party', 'alf'] },
    active: 'flag',
    input_policy: { one: POLICIES },
    rule_count: 'integer',
    profiles_off: { list: ['domain', 'private', 'public'] },
    policy_source: { one: ['effective', 'local', 'registry'] },
    stealth: 'flag',
  },
  patches: {
    manager: { one: ['apt', 'dnf', 'windows_update', 'softwareupdate'] },
    pending_security: 'integer',
    pending_total: 'integer',
    index_age_days: 'integer',
    reboot_required: 'flag',
    hotfixes: 'integer',
    last_install_age_days: 'integer',
  },
  screenlock: {
    desktop: { joined: DESKTOPS },
    lock_enabled: 'flag',
    idle_seconds: 'integer',
    source: { joined: ['gsettings', 'kscreenlockerrc', 'policy', 'machine', 'own', 'profile', 'none'] },
    graphical_sessions: 'integer',
  },
  services: {
    service: 'service',
    manager: { one: ['systemd', 'sysv', 'windows', 'launchd', 'pidfile', 'combined'] },
    state: { one: ['running', 'stopped', 'failed', 'not_installed', 'unknown'] },
  },
};

/** Parameters of actions and of orders, beside the agent that an order names and the facts of a check. */
export const CLOSED_PARAMS: Readonly<Record<string, ClosedFact>> = {
  service: 'service',
  checks: { list: CHECK_NAMES },
  dry_run: 'flag',
  idle_seconds: 'integer',
  window_start_ms: 'integer',
  window_end_ms: 'integer',
  order_id: 'order',
  version: 'version',
};

/** Codes an agent may end an order with. Evidence names no other. */
export const RECEIPT_CODES = [
  'TIER_TOO_LOW',
  'SERVICE_NOT_REQUIRED',
  'ORDER_EXPIRED',
  'ACTION_UNKNOWN',
  'ORDER_PARAMS_INVALID',
  'AGENT_BUSY',
  'ACTION_NOT_POSSIBLE',
  'STATE_UNKNOWN',
  'RULED_ELSEWHERE',
  'OUTSIDE_WINDOW',
  'WINDOW_ENDED',
  'TOOL_FAILED',
  'ACTION_NOT_VERIFIED',
  'UNDO_UNKNOWN',
  'SERVICE_NOT_RUNNING',
  'UPDATE_NOT_POSSIBLE',
  'UPDATE_NO_INSTALLER',
  'UPDATE_NOT_SIGNED',
  'UPDATE_VERSION_MISSING',
  'UPDATE_SAME_VERSION',
  'UPDATE_NOT_NEWER',
  'UPDATE_NO_ROOM',
  'UPDATE_DOWNLOAD_FAILED',
  'UPDATE_FILE_WRONG',
  'UPDATE_CHECK_FAILED',
  'UPDATE_ROLLED_BACK',
  'UPDATE_STOPPED',
  'ACTION_FAILED',
  'INDETERMINATE',
  'SERVICE_UNKNOWN',
  'SERVICE_NAME_INVALID',
  'SERVICE_DECLARATION_INVALID',
  'SERVICE_MANAGER_FAILED',
  'SERVICE_TIMEOUT',
  'SERVICE_ACTION_ABORTED',
] as const;

const PLAIN_NAME = /^[A-Za-z0-9_@][A-Za-z0-9_@.:-]{0,63}$/;

/** A name as machines and services have them: no spaces, no sentences. */
export const isPlainName = (text: string): boolean => PLAIN_NAME.test(text);
