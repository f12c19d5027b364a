import { failedAnswer, type Row, type SectionAnswer } from './answers.ts';
import { askRegistry, type RegistryAnswer, type RegistryKey } from './registry.ts';
import { PROPERTIES } from './script.ts';
import {
  BITLOCKER_NAMESPACE,
  DEFENDER_NAMESPACE,
  DEVICE_LOCK_KEY,
  FIREWALL_LOCAL_KEY,
  FIREWALL_POLICY_KEY,
  PERSON_SID,
  POLICY_SYSTEM_KEY,
  REBOOT_KEYS,
  SCREEN_SAVER_VALUES,
  SECURITY_CENTER_NAMESPACE,
  type SectionName,
  TPM_NAMESPACE,
  UNINSTALL_KEYS,
  USER_DESKTOP_KEY,
  USER_POLICY_KEY,
} from './sections.ts';
import { askWmic, type ToolCall, type WmicQuery } from './wmic.ts';

const BITLOCKER_PROPERTIES = [
  'DeviceID',
  'DriveLetter',
  'ProtectionStatus',
  'ConversionStatus',
  'EncryptionMethod',
  'VolumeType',
];

const QUERIES: Readonly<Partial<Record<SectionName, WmicQuery>>> = {
  system: { className: 'Win32_OperatingSystem', properties: PROPERTIES.system },
  services: { className: 'Win32_Service', properties: PROPERTIES.services, least: ['Name', 'State'] },
  bitlocker: {
    namespace: BITLOCKER_NAMESPACE,
    className: 'Win32_EncryptableVolume',
    properties: BITLOCKER_PROPERTIES,
    least: ['DeviceID', 'DriveLetter', 'ProtectionStatus'],
  },
  disks: { className: 'Win32_Volume', properties: PROPERTIES.disks },
  tpm: { namespace: TPM_NAMESPACE, className: 'Win32_Tpm', properties: PROPERTIES.tpm },
  defender: {
    namespace: DEFENDER_NAMESPACE,
    className: 'MSFT_MpComputerStatus',
    properties: PROPERTIES.defender,
    least: ['AMServiceEnabled', 'AntivirusEnabled', 'RealTimeProtectionEnabled', 'AntivirusSignatureAge'],
  },
  antivirus: {
    namespace: SECURITY_CENTER_NAMESPACE,
    className: 'AntiVirusProduct',
    properties: PROPERTIES.security_center,
  },
  firewall_products: {
    namespace: SECURITY_CENTER_NAMESPACE,
    className: 'FirewallProduct',
    properties: PROPERTIES.security_center,
  },
  processes: { className: 'Win32_Process', properties: PROPERTIES.processes, least: ['Name'] },
  hotfixes: { className: 'Win32_QuickFixEngineering', properties: PROPERTIES.hotfixes },
};

/** The same rows without PowerShell: by wmic, or from the registry. The Windows Update agent has no such way. */
export async function askWithoutPowershell(section: SectionName, call: ToolCall): Promise<SectionAnswer> {
  const query = QUERIES[section];
  if (query !== undefined) return askWmic(query, call);
  switch (section) {
    case 'firewall':
      return firewallRows(call);
    case 'screenlock':
      return screenlockRows(call);
    case 'reboot':
      return rebootRows(call);
    case 'programs':
      return programRows(call);
    default:
      return failedAnswer('no_tool');
  }
}

const fromRegistry = (rows: readonly Row[]): SectionAnswer => ({ ok: true, source: 'registry', rows });

const problemOf = (answer: RegistryAnswer & { ok: false }): SectionAnswer =>
  failedAnswer(answer.isMissing ? 'no_tool' : 'failed');

const PROFILES = { Domain: 'DomainProfile', Private: 'StandardProfile', Public: 'PublicProfile' } as const;
/** Of MSFT_NetFirewallProfile; the registry has 0 for allow and 1 for block. */
const ALLOW = 2;
const BLOCK = 4;

/** Group policy, where it says something, is in force over the local settings. Without a word Windows blocks. */
async function firewallRows(call: ToolCall): Promise<SectionAnswer> {
  const local = await askRegistry(`HKLM\\${FIREWALL_LOCAL_KEY}`, { ...call, isDeep: true });
  if (!local.ok) return problemOf(local);
  const policy = await askRegistry(`HKLM\\${FIREWALL_POLICY_KEY}`, { ...call, isDeep: true });
  if (!policy.ok) return problemOf(policy);
  const rows = Object.entries(PROFILES).map(([Name, key]) => {
    const ofLocal = valuesOf(local.keys, `FirewallPolicy\\${key}`);
    const ofPolicy =
      valuesOf(policy.keys, `WindowsFirewall\\${Name}Profile`) ?? valuesOf(policy.keys, `WindowsFirewall\\${key}`);
    const enabled = ofPolicy?.EnableFirewall ?? ofLocal?.EnableFirewall;
    const inbound = ofPolicy?.DefaultInboundAction ?? ofLocal?.DefaultInboundAction ?? 1;
    return {
      Store: 'registry',
      Name,
      Enabled: enabled === 0 || enabled === 1 ? enabled : null,
      DefaultInboundAction: inbound === 0 ? ALLOW : BLOCK,
    };
  });
  return fromRegistry(rows);
}

const valuesOf = (keys: readonly RegistryKey[], end: string): RegistryKey['values'] | undefined =>
  keys.find(({ path }) => path.endsWith(`\\${end}`))?.values;

async function screenlockRows(call: ToolCall): Promise<SectionAnswer> {
  const system = await askRegistry(`HKLM\\${POLICY_SYSTEM_KEY}`, call);
  if (!system.ok) return problemOf(system);
  const device = await askRegistry(`HKLM\\${DEVICE_LOCK_KEY}`, call);
  const hives = await askRegistry('HKU', call);
  if (!hives.ok || !device.ok) return failedAnswer('failed');
  const rows: Row[] = [
    {
      Kind: 'machine',
      InactivityTimeoutSecs: system.keys[0]?.values.InactivityTimeoutSecs ?? null,
      MaxInactivityTimeDeviceLock: device.keys[0]?.values.MaxInactivityTimeDeviceLock ?? null,
    },
  ];
  for (const { path } of hives.keys) {
    const sid = new RegExp(`^HKEY_USERS\\\\(${PERSON_SID})$`).exec(path)?.[1];
    if (sid === undefined) continue;
    const keys = [USER_POLICY_KEY, USER_DESKTOP_KEY, 'Volatile Environment'].map((key) => `HKU\\${sid}\\${key}`);
    const answers: RegistryAnswer[] = [];
    for (const key of keys) answers.push(await askRegistry(key, call));
    const [policy, own, session] = answers;
    if (!policy?.ok || !own?.ok || !session?.ok) return failedAnswer('failed');
    rows.push({
      Kind: 'person',
      IsLoggedOn: session.keys.length > 0,
      Policy: saverValues(policy.keys[0]),
      Own: saverValues(own.keys[0]),
    });
  }
  return fromRegistry(rows);
}

const saverValues = (key: RegistryKey | undefined): Row =>
  Object.fromEntries(SCREEN_SAVER_VALUES.map((name) => [name, key?.values[name] ?? null]));

async function rebootRows(call: ToolCall): Promise<SectionAnswer> {
  const rows: Row[] = [];
  for (const key of REBOOT_KEYS) {
    const answer = await askRegistry(`HKLM\\${key}`, call);
    if (!answer.ok) return problemOf(answer);
    rows.push({ IsOwed: answer.keys.length > 0 });
  }
  return fromRegistry(rows);
}

async function programRows(call: ToolCall): Promise<SectionAnswer> {
  const rows: Row[] = [];
  for (const key of UNINSTALL_KEYS) {
    const answer = await askRegistry(`HKLM\\${key}`, { ...call, isDeep: true });
    if (!answer.ok) return problemOf(answer);
    for (const { path, values } of answer.keys) {
      const { DisplayName, DisplayVersion = '', Publisher = '' } = values;
      if (DisplayName === undefined) continue;
      rows.push({ Key: path.slice(path.lastIndexOf('\\') + 1), DisplayName, DisplayVersion, Publisher });
    }
  }
  return fromRegistry(rows);
}
