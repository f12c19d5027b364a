import { setTimeout as delay } from 'node:timers/promises';
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

/** ERROR_SERVICE_DOES_NOT_EXIST, ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_NOT_ACTIVE */
const NOT_INSTALLED = 1060;
const ALREADY_RUNNING = 1056;
const NOT_ACTIVE = 1062;
/** Exit codes of a service that was stopped by hand, or never started since boot. */
const CLEAN_EXITS = [0, 1077];
const POLL_MS = 250;

const STATES: Readonly<Record<string, ServiceState>> = {
  RUNNING: 'running',
  STOPPED: 'stopped',
  START_PENDING: 'unknown',
  STOP_PENDING: 'unknown',
  CONTINUE_PENDING: 'unknown',
  PAUSE_PENDING: 'unknown',
  PAUSED: 'stopped',
};

/**
 * Reads `sc query`. The labels before the colons are translated by Windows; numbers and the names of states are not.
 * The state is `: 4  RUNNING`, the first `: 1067  (0x42b)` is the code the service ended with.
 */
export function parseScQuery(text: string): ServiceStatus | undefined {
  const word =
    /:\s+[1-7]\s+(STOPPED|START_PENDING|STOP_PENDING|RUNNING|CONTINUE_PENDING|PAUSE_PENDING|PAUSED)\s*$/m.exec(
      text,
    )?.[1];
  if (word === undefined) return undefined;
  const exit = /:\s+(\d+)\s+\(0x[0-9a-f]+\)/i.exec(text)?.[1];
  const state = STATES[word]!;
  if (state === 'stopped' && exit !== undefined && !CLEAN_EXITS.includes(Number(exit))) {
    return { state: 'failed', detail: `${word} (exit code ${exit})` };
  }
  return { state, detail: word };
}

export interface WindowsServicesOptions {
  readonly timeoutMs?: number;
  /** argv of sc.exe. */
  readonly sc?: readonly [string, ...string[]];
}

export function createWindowsServices(options: WindowsServicesOptions = {}): ServiceManager {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, sc = ['sc.exe'] } = options;

  const ask = (verb: string, name: string, call: ServiceCall): Promise<ToolResult> =>
    runManager([sc[0], ...sc.slice(1), verb, name], { ...call, timeoutMs });

  async function status(name: string, call: ServiceCall = {}): Promise<ServiceStatus> {
    assertServiceName(name);
    const result = await ask('query', name, call);
    if (saysCode(result, NOT_INSTALLED)) return { state: 'not_installed', detail: 'the service is not installed' };
    return parseScQuery(result.stdout) ?? { state: 'unknown', detail: lastWords(result) || 'sc said nothing' };
  }

  async function act(verb: 'start' | 'stop', name: string, call: ServiceCall = {}): Promise<void> {
    assertServiceName(name);
    const result = await ask(verb, name, call);
    if (saysCode(result, NOT_INSTALLED)) {
      throw kitErrors.make('SERVICE_UNKNOWN', { detail: `${name} is not installed` });
    }
    const isDone = result.ok || saysCode(result, verb === 'start' ? ALREADY_RUNNING : NOT_ACTIVE);
    if (!isDone) {
      throw kitErrors.make('SERVICE_MANAGER_FAILED', { detail: `sc ${verb} ${name}: ${lastWords(result)}` });
    }
    await settled(verb === 'start' ? 'START_PENDING' : 'STOP_PENDING', name, call);
  }

  /** sc answers when the service has been told, not when it is done. */
  async function settled(pending: string, name: string, call: ServiceCall): Promise<void> {
    const endMs = performance.now() + timeoutMs;
    while ((await status(name, call)).detail === pending) {
      if (performance.now() > endMs) {
        throw kitErrors.make('SERVICE_TIMEOUT', { detail: `${name} stays in ${pending} for ${timeoutMs} ms` });
      }
      await delay(POLL_MS);
    }
  }

  return {
    kind: 'windows',
    status,
    start: (name, call) => act('start', name, call),
    stop: (name, call) => act('stop', name, call),
    async restart(name, call) {
      await act('stop', name, call);
      await act('start', name, call);
    },
  };
}

/** sc ends with the code of Windows; where a layer between swallows that, the code stands in its words as a number. */
function saysCode(result: ToolResult, code: number): boolean {
  return result.exitCode === code || (!result.ok && new RegExp(`\\b${code}\\b`).test(result.stdout + result.stderr));
}
