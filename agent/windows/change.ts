import type { ToolOptions, ToolResult } from '@sitewarden/kit/exec';
import { problemOfError, type Row, type SectionProblem } from './answers.ts';
import { encodeScript, PRELUDE } from './script.ts';
import type { ChangeTools } from './tools.ts';

/** What the agent changes through PowerShell, because no other program of Windows can. */
export const CHANGE_NAMES = ['realtime_on', 'signatures', 'search_updates', 'install_updates'] as const;
export type ChangeName = (typeof CHANGE_NAMES)[number];

export type ChangeAnswer =
  | { readonly ok: true; readonly row: Row }
  | { readonly ok: false; readonly problem: SectionProblem; readonly code: string };

export interface ChangeRun {
  /** Reaches the script as data, in an environment variable. The script's text is the same whatever it holds. */
  readonly params?: Readonly<Record<string, number>>;
  readonly tools: ChangeTools;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  run(argv: readonly [string, ...string[]], options: ToolOptions): Promise<ToolResult>;
}

const PARAMS_NAME = 'SITEWARDEN_PARAMS';
/** Security updates and critical updates, as the check counts them. */
const SECURITY = ['0fa1201d-4330-4fa8-8ae9-b877473b6441', 'e6cf1350-c01b-414d-a61f-263d14d133b4'];

/** COM is closed in the constrained language mode; the caller then says so instead of failing somewhere in between. */
const IN_FULL_MODE = (body: string): string => `
if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') { @{ Mode = 'constrained' } } else {${body}
}`;

const SEARCH = `
$session = New-Object -ComObject Microsoft.Update.Session
$searcher = $session.CreateUpdateSearcher()
$searcher.Online = $true
$found = $searcher.Search('IsInstalled=0 and IsHidden=0')`;

/** One update at a time: the window is looked at between two of them. What asks a person something is left to people. */
const INSTALL = `
$p = ConvertFrom-Json -InputObject $env:${PARAMS_NAME}
$began = Get-Date
$installed = 0; $failed = 0; $late = $false; $reboot = $false${SEARCH}
foreach ($x in $found.Updates) {
  $wanted = "$($x.MsrcSeverity)" -cmatch '^(Critical|Important|Moderate|Low)$'
  foreach ($c in $x.Categories) { if ("$($c.CategoryID)" -match '${SECURITY.join('|')}') { $wanted = $true } }
  if (-not $wanted) { continue }
  if ($x.InstallationBehavior.CanRequestUserInput) { continue }
  if ((New-TimeSpan -Start $began).TotalSeconds -ge [int]$p.seconds) { $late = $true; break }
  if (-not $x.EulaAccepted) { $x.AcceptEula() }
  $one = New-Object -ComObject Microsoft.Update.UpdateColl
  $null = $one.Add($x)
  $downloader = $session.CreateUpdateDownloader()
  $downloader.Updates = $one
  $null = $downloader.Download()
  $installer = $session.CreateUpdateInstaller()
  $installer.Updates = $one
  $installer.ForceQuiet = $true
  $done = $installer.Install()
  if (@(2, 3) -contains [int]$done.ResultCode) { $installed += 1 } else { $failed += 1 }
  if ($done.RebootRequired) { $reboot = $true }
}
@{ Mode = 'full'; ResultCode = [int]$found.ResultCode; Installed = $installed; Failed = $failed; Late = $late; Reboot = $reboot }`;

const SOURCES: Readonly<Record<ChangeName, string>> = {
  realtime_on: `
Set-MpPreference -DisableRealtimeMonitoring $false
@{ Done = $true }`,
  signatures: `
Update-MpSignature
@{ Done = $true }`,
  search_updates: IN_FULL_MODE(`${SEARCH}
@{ Mode = 'full'; ResultCode = [int]$found.ResultCode; Count = [int]$found.Updates.Count }`),
  install_updates: IN_FULL_MODE(INSTALL),
};

/** The whole of what PowerShell is given; it has no part that depends on an order. */
export const changeScript = (name: ChangeName): string => `${PRELUDE}\nSection '${name}' {${SOURCES[name]}\n}`.trim();

/** One process. Never rejects. */
export async function runChange(
  name: ChangeName,
  { params = {}, tools, timeoutMs, signal, run }: ChangeRun,
): Promise<ChangeAnswer> {
  const [program, ...first] = tools.powershell;
  const script = encodeScript(changeScript(name));
  const argv = [program, ...first, '-NoProfile', '-NonInteractive', '-NoLogo', '-EncodedCommand', script] as const;
  const env = { [PARAMS_NAME]: JSON.stringify(params) };
  const result = await run([...argv], { timeoutMs, signal, encoding: 'detect', env, input: '' });
  if (result.timedOut || result.aborted) return { ok: false, problem: 'late', code: '' };
  return parseChange(name, result.stdout) ?? { ok: false, problem: 'no_tool', code: '' };
}

/** The one line of the script in whatever else programs print; undefined when it is not there. */
export function parseChange(name: ChangeName, output: string): ChangeAnswer | undefined {
  for (const line of output.split(/\r?\n/)) {
    if (!line.startsWith(`{"s":"${name}",`)) continue;
    let value: { d?: unknown; e?: unknown };
    try {
      value = JSON.parse(line);
    } catch {
      continue;
    }
    if (isRow(value.e)) return { ok: false, ...problemOfError(value.e) };
    const row = Array.isArray(value.d) ? value.d[0] : value.d;
    return isRow(row) ? { ok: true, row } : { ok: false, problem: 'odd_answer', code: '' };
  }
  return undefined;
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);
