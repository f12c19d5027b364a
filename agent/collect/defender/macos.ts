import type { Facts } from '@sitewarden/agent-proto/agent';
import { wholeDays } from '../age.ts';
import { askTool } from '../ask-tool.ts';
import { toolProblem } from '../tool-problem.ts';
import type { CollectContext, Observation } from '../types.ts';
import { MAC_ENGINES } from './mac-engines.ts';

const XPROTECT = '/Library/Apple/System/Library/CoreServices/XProtect.bundle/Contents/Info';
const UPDATE_SETTINGS = '/Library/Preferences/com.apple.SoftwareUpdate';

export async function collectXprotect({ nowMs, signal }: CollectContext): Promise<Observation[]> {
  const ask = (argv: readonly [string, ...string[]], timeoutMs = 8000) => askTool(argv, { signal, timeoutMs });
  const processes = await ask(['/bin/ps', '-axo', 'uid=,comm=']);
  const version = await ask(['/usr/bin/defaults', 'read', XPROTECT, 'CFBundleShortVersionString']);
  const automatic = await ask(['/usr/bin/defaults', 'read', UPDATE_SETTINGS, 'ConfigDataInstall']);
  const history = await askTool(['/usr/sbin/system_profiler', '-json', 'SPInstallHistoryDataType'], {
    signal,
    timeoutMs: 12_000,
    maxBytes: 8 * 1024 * 1024,
  });
  if (!processes.ok) return [{ subject: '', facts: { probe_error: toolProblem('ps', 'macOS', processes) } }];
  const sight = {
    processes: processes.stdout,
    version: version.ok ? version.stdout.trim() : '',
    // Not set means that macOS does it.
    isAutomatic: automatic.ok ? automatic.stdout.trim() !== '0' : automatic.exitCode === 1 ? true : undefined,
    installedMs: history.ok ? newestXprotectMs(history.stdout) : undefined,
    nowMs,
  };
  return [{ subject: '', facts: macEngineFacts(sight) }];
}

export interface MacEngineSight {
  /** `ps -axo uid=,comm=`: on macOS comm is the whole path of the program. */
  readonly processes: string;
  /** Of XProtect's bundle; empty when it could not be read. */
  readonly version: string;
  readonly isAutomatic: boolean | undefined;
  readonly installedMs: number | undefined;
  readonly nowMs: number;
}

/** An engine of another maker, when one runs as root from where only root may write; else what macOS brings with it. */
export function macEngineFacts({ processes, version, isAutomatic, installedMs, nowMs }: MacEngineSight): Facts {
  const programs = processes
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\/.*\S)/.exec(line))
    .filter((match) => match !== null)
    .map(([, uid, path]) => ({ isRoots: uid === '0', path: path! }));
  const running = MAC_ENGINES.filter(({ programs: own }) =>
    programs.some(({ isRoots, path }) => isRoots && own.some((one) => path.startsWith(one))),
  );
  const names = [...running.map(({ name }) => name), ...(version === '' ? [] : ['Apple XProtect'])];
  const [other] = running;
  if (other !== undefined) {
    return { engine: other.name, reported_by: 'process', engine_running: true, engines_found: names };
  }
  if (version === '') {
    return { engines_found: [], probe_error: 'The version of XProtect cannot be read. Run the agent as root.' };
  }
  const facts: Facts = {
    engine: 'Apple XProtect',
    engine_version: version,
    reported_by: 'xprotect',
    engine_running: true,
    engines_found: names,
  };
  const ageDays = installedMs === undefined ? undefined : wholeDays(nowMs - installedMs);
  if (ageDays !== undefined) facts.signature_age_days = ageDays;
  if (isAutomatic !== undefined) facts.signatures_current = isAutomatic;
  return facts;
}

/** The last time macOS installed XProtect's data, from `system_profiler -json SPInstallHistoryDataType`. */
export function newestXprotectMs(json: string): number | undefined {
  let history: unknown;
  try {
    history = (JSON.parse(json) as { SPInstallHistoryDataType?: unknown }).SPInstallHistoryDataType;
  } catch {
    return undefined;
  }
  if (!Array.isArray(history)) return undefined;
  const times = (history as { _name?: unknown; install_date?: unknown }[])
    .filter((entry) => typeof entry?._name === 'string' && /^XProtectPlistConfigData/.test(entry._name))
    .map((entry) => Date.parse(String(entry.install_date)))
    .filter((time) => Number.isFinite(time));
  return times.length === 0 ? undefined : Math.max(...times);
}
