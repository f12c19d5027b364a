import { kitErrors } from '../errors/index.ts';
import type { ToolResult } from '../exec/index.ts';
import { DEFAULT_TIMEOUT_MS, lastWords, runManager } from './run-manager.ts';
import { assertServiceName, type ServiceCall, type ServiceManager, type ServiceStatus } from './types.ts';

/** Could not find service in domain for system (launchctl error 113). */
const NOT_FOUND = 113;

/**
 * Reads `launchctl print system/LABEL`: the job's own fields are indented by one tab, those of its parts by more.
 * `last exit code = 78: EX_CONFIG` or `(never exited)`.
 */
export function parseLaunchctlPrint(text: string): ServiceStatus | undefined {
  const field = (name: string) => new RegExp(`^\\t${name} = (.*)$`, 'm').exec(text)?.[1]?.trim();
  const state = field('state');
  if (state === undefined) return undefined;
  const exit = /^(-?\d+)/.exec(field('last exit code') ?? '')?.[1];
  const isKilled = field('last terminating signal') !== undefined;
  if (state === 'running') return { state: 'running', detail: state };
  if (state !== 'not running' && state !== 'exited') return { state: 'unknown', detail: state };
  const hasFailed = (exit !== undefined && exit !== '0') || isKilled;
  const detail = exit === undefined ? state : `${state} (last exit code ${exit})`;
  return { state: hasFailed ? 'failed' : 'stopped', detail };
}

export interface LaunchdOptions {
  readonly timeoutMs?: number;
  /** argv of launchctl. */
  readonly launchctl?: readonly [string, ...string[]];
}

/** Jobs of the system domain: a workstation's daemons, not the agents of one person's session. */
export function createLaunchdManager(options: LaunchdOptions = {}): ServiceManager {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, launchctl = ['/bin/launchctl'] } = options;

  const ask = (args: readonly string[], call: ServiceCall): Promise<ToolResult> =>
    runManager([launchctl[0], ...launchctl.slice(1), ...args], { ...call, timeoutMs });

  async function status(name: string, call: ServiceCall = {}): Promise<ServiceStatus> {
    assertServiceName(name);
    const result = await ask(['print', `system/${name}`], call);
    if (result.exitCode === NOT_FOUND) return { state: 'not_installed', detail: 'launchd has no such job' };
    const parsed = result.ok ? parseLaunchctlPrint(result.stdout) : undefined;
    return parsed ?? { state: 'unknown', detail: lastWords(result) || 'launchctl said nothing' };
  }

  async function act(args: readonly string[], name: string, call: ServiceCall = {}): Promise<void> {
    const before = await status(name, call);
    if (before.state === 'not_installed') throw kitErrors.make('SERVICE_UNKNOWN', { detail: `${name} is not loaded` });
    const result = await ask([...args, `system/${name}`], call);
    if (!result.ok) {
      throw kitErrors.make('SERVICE_MANAGER_FAILED', {
        detail: `launchctl ${args[0]} ${name}: ${lastWords(result)}`,
      });
    }
  }

  return {
    kind: 'launchd',
    status,
    start: (name, call) => act(['kickstart'], name, call),
    restart: (name, call) => act(['kickstart', '-k'], name, call),
    stop: (name, call) => act(['kill', 'SIGTERM'], name, call),
  };
}
