import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { kitErrors } from '../errors/index.ts';
import type { ToolResult } from '../exec/index.ts';
import { DEFAULT_TIMEOUT_MS, lastWords, runManager } from './run-manager.ts';
import {
  assertServiceName,
  type ServiceCall,
  type ServiceManager,
  type ServiceState,
  type ServiceStatus,
} from './types.ts';

/** Exit codes of `status` by LSB: 1 and 2 are dead with a pid or lock file left, so it did not end by itself. */
const STATE_BY_EXIT: Readonly<Record<number, ServiceState>> = { 0: 'running', 1: 'failed', 2: 'failed', 3: 'stopped' };

export interface SysvOptions {
  readonly timeoutMs?: number;
  readonly initDir?: string;
}

export function createSysvManager(options: SysvOptions = {}): ServiceManager {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, initDir = '/etc/init.d' } = options;

  async function hasScript(name: string): Promise<boolean> {
    assertServiceName(name);
    try {
      await access(join(initDir, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }

  async function status(name: string, call: ServiceCall = {}): Promise<ServiceStatus> {
    if (!(await hasScript(name))) return { state: 'not_installed', detail: `no ${join(initDir, name)}` };
    const result = await runManager(['service', name, 'status'], { ...call, timeoutMs });
    return { state: stateOf(result), detail: lastWords(result) };
  }

  async function act(verb: 'start' | 'restart' | 'stop', name: string, call: ServiceCall = {}): Promise<void> {
    if (!(await hasScript(name))) throw kitErrors.make('SERVICE_UNKNOWN', { detail: `no ${join(initDir, name)}` });
    const result = await runManager(['service', name, verb], { ...call, timeoutMs });
    if (!result.ok) {
      throw kitErrors.make('SERVICE_MANAGER_FAILED', { detail: `service ${name} ${verb}: ${lastWords(result)}` });
    }
  }

  return {
    kind: 'sysv',
    status,
    start: (name, call) => act('start', name, call),
    restart: (name, call) => act('restart', name, call),
    stop: (name, call) => act('stop', name, call),
  };
}

function stateOf(result: ToolResult): ServiceState {
  return result.exitCode === null ? 'unknown' : (STATE_BY_EXIT[result.exitCode] ?? 'unknown');
}
