/** What one PowerShell process is asked for, in this order: the slow ones last, for each is reported when it is there. */
export const SECTION_NAMES = [
  'system',
  'services',
  'bitlocker',
  'disks',
  'tpm',
  'defender',
  'antivirus',
  'firewall',
  'firewall_products',
  'screenlock',
  'reboot',
  'programs',
  'processes',
  'hotfixes',
  'updates',
] as const;

export type SectionName = (typeof SECTION_NAMES)[number];

export const isSectionName = (name: string): name is SectionName => (SECTION_NAMES as readonly string[]).includes(name);

export const BITLOCKER_NAMESPACE = 'root\\cimv2\\Security\\MicrosoftVolumeEncryption';
export const TPM_NAMESPACE = 'root\\cimv2\\Security\\MicrosoftTpm';
export const DEFENDER_NAMESPACE = 'root\\Microsoft\\Windows\\Defender';
export const SECURITY_CENTER_NAMESPACE = 'root\\SecurityCenter2';
export const NETWORK_NAMESPACE = 'root\\StandardCimv2';

export const UNINSTALL_KEYS = [
  'SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall',
  'SOFTWARE\\WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall',
] as const;
export const POLICY_SYSTEM_KEY = 'SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System';
export const DEVICE_LOCK_KEY = 'SOFTWARE\\Microsoft\\PolicyManager\\current\\device\\DeviceLock';
/** Present while a restart is owed; Windows removes them by the restart. */
export const REBOOT_KEYS = [
  'SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired',
  'SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending',
] as const;
export const FIREWALL_POLICY_KEY = 'SOFTWARE\\Policies\\Microsoft\\WindowsFirewall';
export const FIREWALL_LOCAL_KEY = 'SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy';
/** Accounts of people: local and domain ones, and those of Entra ID. */
export const PERSON_SID = 'S-1-(?:5-21|12-1)-[0-9-]+';
export const USER_POLICY_KEY = 'Software\\Policies\\Microsoft\\Windows\\Control Panel\\Desktop';
export const USER_DESKTOP_KEY = 'Control Panel\\Desktop';
export const SCREEN_SAVER_VALUES = [
  'ScreenSaveActive',
  'ScreenSaverIsSecure',
  'ScreenSaveTimeOut',
  'SCRNSAVE.EXE',
] as const;
