import {
  BITLOCKER_NAMESPACE,
  DEFENDER_NAMESPACE,
  DEVICE_LOCK_KEY,
  NETWORK_NAMESPACE,
  PERSON_SID,
  POLICY_SYSTEM_KEY,
  REBOOT_KEYS,
  SCREEN_SAVER_VALUES,
  SECTION_NAMES,
  SECURITY_CENTER_NAMESPACE,
  type SectionName,
  TPM_NAMESPACE,
  UNINSTALL_KEYS,
  USER_DESKTOP_KEY,
  USER_POLICY_KEY,
} from './sections.ts';

/**
 * The language mode may be constrained (Device Guard, AppLocker): no Add-Type, no methods and no static members of .NET;
 * cmdlets, operators and casts to plain types are left. What is written is ASCII, so that no code page can spoil it.
 */
export const PRELUDE = String.raw`
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
function Ascii($t) {
  if ($t -cnotmatch '[^\x20-\x7e]') { return $t }
  -join @(foreach ($c in [char[]]$t) { if ($c -cmatch '[\x20-\x7e]') { $c } else { '\u{0:x4}' -f [int]$c } })
}
function Section($s, $block) {
  try {
    $rows = @(& $block)
    $json = ConvertTo-Json -InputObject $rows -Compress -Depth 5
    Write-Output ('{"s":"' + $s + '","d":' + (Ascii $json) + '}')
  } catch {
    $e = @{ id = "$($_.FullyQualifiedErrorId)"; category = "$($_.CategoryInfo.Category)"; native = "$($_.Exception.NativeErrorCode)"; hresult = "$($_.Exception.HResult)" }
    Write-Output ('{"s":"' + $s + '","e":' + (Ascii (ConvertTo-Json -InputObject $e -Compress)) + '}')
  }
}
function Cim($ns, $class, $names) {
  foreach ($o in @(Get-CimInstance -Namespace $ns -ClassName $class -OperationTimeoutSec 20)) {
    $r = @{}
    foreach ($n in $names) { $r[$n] = $o.$n }
    $r
  }
}
function Value($path, $name) {
  try { (Get-ItemProperty -LiteralPath $path -Name $name).$name } catch { $null }
}
`;

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const list = (texts: readonly string[]): string => texts.map(quote).join(',');

/** Property names that wmic is asked for too. */
export const PROPERTIES = {
  system: ['ProductType', 'BuildNumber', 'SystemDrive'],
  services: ['Name', 'State', 'StartMode', 'ExitCode'],
  disks: ['DeviceID', 'DriveLetter', 'DriveType', 'FileSystem', 'BootVolume', 'SystemVolume', 'Capacity'],
  tpm: ['IsEnabled_InitialValue', 'IsActivated_InitialValue', 'SpecVersion'],
  defender: [
    'AMServiceEnabled',
    'AntivirusEnabled',
    'RealTimeProtectionEnabled',
    'AntivirusSignatureAge',
    'AMRunningMode',
    'AMProductVersion',
    'IsTamperProtected',
  ],
  security_center: ['displayName', 'productState'],
  hotfixes: ['HotFixID'],
  processes: ['Name', 'ExecutablePath'],
} as const;

const cim = (namespace: string, className: string, names: readonly string[]): string =>
  `Cim ${quote(namespace)} ${quote(className)} @(${list(names)})`;

/** A volume whose protectors cannot be asked has none in its row; whether it has a key in the clear says ProtectionStatus. */
const BITLOCKER = `
foreach ($v in @(Get-CimInstance -Namespace ${quote(BITLOCKER_NAMESPACE)} -ClassName Win32_EncryptableVolume -OperationTimeoutSec 20)) {
  $r = @{ DeviceID = $v.DeviceID; DriveLetter = $v.DriveLetter; ProtectionStatus = $v.ProtectionStatus; ConversionStatus = $v.ConversionStatus; EncryptionMethod = $v.EncryptionMethod; VolumeType = $v.VolumeType; LockStatus = $null; EncryptionPercentage = $null; KeyProtectorTypes = $null; SuspendCount = $null }
  try { $c = Invoke-CimMethod -InputObject $v -MethodName GetConversionStatus; if ($c.ReturnValue -eq 0) { $r['ConversionStatus'] = $c.ConversionStatus; $r['EncryptionPercentage'] = $c.EncryptionPercentage } } catch {}
  try { $c = Invoke-CimMethod -InputObject $v -MethodName GetLockStatus; if ($c.ReturnValue -eq 0) { $r['LockStatus'] = $c.LockStatus } } catch {}
  try { $c = Invoke-CimMethod -InputObject $v -MethodName GetSuspendCount; if ($c.ReturnValue -eq 0) { $r['SuspendCount'] = $c.SuspendCount } } catch {}
  try {
    $c = Invoke-CimMethod -InputObject $v -MethodName GetKeyProtectors -Arguments @{ KeyProtectorType = [uint32]0 }
    if ($c.ReturnValue -eq 0) { $r['KeyProtectorTypes'] = @(foreach ($id in @($c.VolumeKeyProtectorID)) { if ($id) { (Invoke-CimMethod -InputObject $v -MethodName GetKeyProtectorType -Arguments @{ VolumeKeyProtectorID = $id }).KeyProtectorType } }) }
  } catch {}
  $r
}`;

/** The store that is in force holds group policy over local settings; the plain class shows the local ones alone. */
const FIREWALL = `
try {
  foreach ($p in @(Get-NetFirewallProfile -PolicyStore ActiveStore)) { @{ Store = 'active'; Name = "$($p.Name)"; InstanceID = "$($p.InstanceID)"; Enabled = [int]$p.Enabled; DefaultInboundAction = [int]$p.DefaultInboundAction } }
} catch {
  foreach ($p in @(Get-CimInstance -Namespace ${quote(NETWORK_NAMESPACE)} -ClassName MSFT_NetFirewallProfile -OperationTimeoutSec 20)) { @{ Store = 'local'; Name = "$($p.Name)"; InstanceID = "$($p.InstanceID)"; Enabled = [int]$p.Enabled; DefaultInboundAction = [int]$p.DefaultInboundAction } }
}`;

const saverOf = (key: string): string =>
  `@{ ${SCREEN_SAVER_VALUES.map((name) => `${quote(name)} = (Value "$h\\${key}" ${quote(name)})`).join('; ')} }`;

/** Volatile Environment is there while its person is logged on. No SID leaves the script: it names a person. */
const SCREENLOCK = `
@{ Kind = 'machine'; InactivityTimeoutSecs = (Value ${quote(`HKLM:\\${POLICY_SYSTEM_KEY}`)} 'InactivityTimeoutSecs'); MaxInactivityTimeDeviceLock = (Value ${quote(`HKLM:\\${DEVICE_LOCK_KEY}`)} 'MaxInactivityTimeDeviceLock') }
foreach ($k in @(Get-ChildItem -LiteralPath 'Registry::HKEY_USERS')) {
  if ($k.PSChildName -cmatch '^${PERSON_SID}$') {
    $h = 'Registry::HKEY_USERS\\' + $k.PSChildName
    @{ Kind = 'person'; IsLoggedOn = (Test-Path -LiteralPath "$h\\Volatile Environment"); Policy = ${saverOf(USER_POLICY_KEY)}; Own = ${saverOf(USER_DESKTOP_KEY)} }
  }
}`;

/** Only what the last search of this machine found: the agent asks no server. COM is closed in the constrained mode. */
const UPDATES = `
$u = @{ Mode = "$($ExecutionContext.SessionState.LanguageMode)"; SearchedAtS = $null; InstalledAtS = $null; ResultCode = $null; Updates = $null }
if ($u['Mode'] -eq 'FullLanguage') {
  $zero = [datetime]'1970-01-01'
  $auto = (New-Object -ComObject Microsoft.Update.AutoUpdate).Results
  if ($auto.LastSearchSuccessDate) { $u['SearchedAtS'] = [int64](New-TimeSpan -Start $zero -End $auto.LastSearchSuccessDate).TotalSeconds }
  if ($auto.LastInstallationSuccessDate) { $u['InstalledAtS'] = [int64](New-TimeSpan -Start $zero -End $auto.LastInstallationSuccessDate).TotalSeconds }
  $searcher = (New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher()
  $searcher.Online = $false
  $found = $searcher.Search('IsInstalled=0 and IsHidden=0')
  $u['ResultCode'] = [int]$found.ResultCode
  $u['Updates'] = @(foreach ($x in $found.Updates) { @{ Kb = @(foreach ($k in $x.KBArticleIDs) { "$k" }); Categories = @(foreach ($c in $x.Categories) { "$($c.CategoryID)" }); MsrcSeverity = "$($x.MsrcSeverity)"; Type = [int]$x.Type; BrowseOnly = [bool]$x.BrowseOnly } })
}
$u`;

const PROGRAMS = `
foreach ($p in @(${list(UNINSTALL_KEYS.map((key) => `HKLM:\\${key}\\*`))})) {
  foreach ($i in @(Get-ItemProperty -Path $p -ErrorAction SilentlyContinue)) {
    if ($i.DisplayName) { @{ Key = "$($i.PSChildName)"; DisplayName = "$($i.DisplayName)"; DisplayVersion = "$($i.DisplayVersion)"; Publisher = "$($i.Publisher)" } }
  }
}`;

const SOURCES: Readonly<Record<SectionName, string>> = {
  system: cim('root\\cimv2', 'Win32_OperatingSystem', PROPERTIES.system),
  services: cim('root\\cimv2', 'Win32_Service', PROPERTIES.services),
  bitlocker: BITLOCKER,
  disks: cim('root\\cimv2', 'Win32_Volume', PROPERTIES.disks),
  tpm: cim(TPM_NAMESPACE, 'Win32_Tpm', PROPERTIES.tpm),
  defender: cim(DEFENDER_NAMESPACE, 'MSFT_MpComputerStatus', PROPERTIES.defender),
  antivirus: cim(SECURITY_CENTER_NAMESPACE, 'AntiVirusProduct', PROPERTIES.security_center),
  firewall: FIREWALL,
  firewall_products: cim(SECURITY_CENTER_NAMESPACE, 'FirewallProduct', PROPERTIES.security_center),
  screenlock: SCREENLOCK,
  reboot: REBOOT_KEYS.map((key) => `@{ IsOwed = (Test-Path -LiteralPath ${quote(`HKLM:\\${key}`)}) }`).join('\n'),
  programs: PROGRAMS,
  processes: cim('root\\cimv2', 'Win32_Process', PROPERTIES.processes),
  hotfixes: cim('root\\cimv2', 'Win32_QuickFixEngineering', PROPERTIES.hotfixes),
  updates: UPDATES,
};

/** The script for these sections, in the order of SECTION_NAMES. */
export function buildScript(sections: readonly SectionName[]): string {
  const wanted = SECTION_NAMES.filter((name) => sections.includes(name));
  return [PRELUDE, ...wanted.map((name) => `Section ${quote(name)} {${SOURCES[name]}\n}`)].join('\n').trim();
}

/** For -EncodedCommand: no quoting can go wrong, and no shell sees it. */
export const encodeScript = (script: string): string => Buffer.from(script, 'utf16le').toString('base64');
