import type { CheckName } from '../checks/index.ts';

/**
 * What a fact may be in evidence: a number, a truth, one word of a list, or several. A word outside its list is left out,
 * so that nobody who writes facts can put text of their own into a log that is kept for years.
 */
export type ClosedFact =
  | 'integer'
  | 'flag'
  /** The name of a service, which is the subject of the entry too. */
  | 'service'
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
] as const;

const FATES = ['none', 'accept', 'drop', 'reject', 'unclear'] as const;
const POLICIES = [...FATES, ...FATES.flatMap((ipv4) => FATES.map((ipv6) => `ipv4=${ipv4} ipv6=${ipv6}`))];
const DESKTOPS = ['gnome', 'cinnamon', 'mate', 'kde', 'xfce', 'lxqt', 'sway', 'unknown', 'none', 'installed'] as const;

/** Facts of the catalogue that are not here (free text, names of files and packages) never become evidence. */
export const CLOSED_FACTS: Readonly<Record<CheckName, Readonly<Record<string, ClosedFact>>>> = {
  bitlocker: {
    technology: { one: ['none', 'luks', 'dm-crypt'] },
    volumes: 'integer',
    encrypted_volumes: 'integer',
    root_encrypted: 'flag',
    swap_encrypted: 'flag',
  },
  defender: {
    engine: { one: ENGINE_NAMES },
    engine_running: 'flag',
    realtime: 'flag',
    signature_age_days: 'integer',
    engines_found: { list: ENGINE_NAMES },
  },
  firewall: {
    technology: { one: ['none', 'nftables', 'firewalld', 'ufw', 'iptables'] },
    active: 'flag',
    input_policy: { one: POLICIES },
    rule_count: 'integer',
  },
  patches: {
    manager: { one: ['apt', 'dnf'] },
    pending_security: 'integer',
    pending_total: 'integer',
    index_age_days: 'integer',
    reboot_required: 'flag',
  },
  screenlock: {
    desktop: { joined: DESKTOPS },
    lock_enabled: 'flag',
    idle_seconds: 'integer',
    source: { joined: ['gsettings', 'kscreenlockerrc', 'none'] },
    graphical_sessions: 'integer',
  },
  services: {
    service: 'service',
    manager: { one: ['systemd', 'sysv', 'pidfile', 'combined'] },
    state: { one: ['running', 'stopped', 'failed', 'not_installed', 'unknown'] },
  },
};

/** Codes an agent may end an order with. Evidence names no other. */
export const RECEIPT_CODES = [
  'TIER_TOO_LOW',
  'SERVICE_NOT_REQUIRED',
  'ORDER_EXPIRED',
  'ACTION_UNKNOWN',
  'ORDER_PARAMS_INVALID',
  'AGENT_BUSY',
  'SERVICE_NOT_RUNNING',
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
