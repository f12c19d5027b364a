import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { kitErrors } from '../errors/index.ts';
import { readFileIfExists, writeFileAtomic } from '../files/index.ts';
import { readDeclaration, type ServiceDeclaration } from './declaration.ts';
import { processStartTime } from './process-identity.ts';
import { DEFAULT_TIMEOUT_MS } from './run-manager.ts';
import { assertServiceName, type ServiceCall, type ServiceManager, type ServiceStatus } from './types.ts';

export interface PidfileOptions {
  /** Holds `<name>.json` for each declared service. */
  readonly dir: string;
  readonly timeoutMs?: number;
}

const POLL_MS = 20;
/** A command that cannot even begin (bad argv, port taken) ends within this; longer and it counts as started. */
const SETTLE_MS = 150;
/** After this the polite SIGTERM becomes SIGKILL; the rest of the time limit is for the kernel. */
const KILL_AFTER_SHARE = 0.75;

/** For hosts without a service manager (containers, no privileges). The services are declared by the host's owner. */
export function createPidfileManager({ dir, timeoutMs = DEFAULT_TIMEOUT_MS }: PidfileOptions): ServiceManager {
  async function declared(name: string): Promise<ServiceDeclaration> {
    assertServiceName(name);
    const declaration = await readDeclaration(dir, name);
    if (declaration === undefined)
      throw kitErrors.make('SERVICE_UNKNOWN', { detail: `${name} is not declared in ${dir}` });
    return declaration;
  }

  async function status(name: string): Promise<ServiceStatus> {
    assertServiceName(name);
    const declaration = await readDeclaration(dir, name);
    if (declaration === undefined) return { state: 'not_installed', detail: `${name} is not declared in ${dir}` };
    const found = await findProcess(declaration.pidFile);
    if (found.state === 'alive') return { state: 'running', detail: `pid ${found.pid}` };
    if (found.state === 'none') return { state: 'stopped', detail: 'no pid file' };
    return { state: 'failed', detail: `pid ${found.pid} is gone and left its pid file` };
  }

  async function start(name: string, call: ServiceCall = {}): Promise<void> {
    const declaration = await declared(name);
    if ((await findProcess(declaration.pidFile)).state === 'alive') return;
    throwIfAborted(call, name);
    const pid = await spawnDetached(name, declaration);
    const startTime = await processStartTime(pid);
    if (startTime !== undefined) await writeFileAtomic(declaration.pidFile, `${pid} ${startTime}\n`, { mode: 0o644 });
    await delay(SETTLE_MS);
    if (startTime === undefined || (await processStartTime(pid)) !== startTime) {
      throw kitErrors.make('SERVICE_MANAGER_FAILED', { detail: `${name} ended as soon as it was started` });
    }
  }

  async function stop(name: string, call: ServiceCall = {}): Promise<void> {
    const { pidFile } = await declared(name);
    const found = await findProcess(pidFile);
    if (found.state === 'alive') await endProcess(name, found, call);
    await rm(pidFile, { force: true });
  }

  async function endProcess(
    name: string,
    target: { pid: number; startTime: string },
    call: ServiceCall,
  ): Promise<void> {
    const beganMs = performance.now();
    let signal: NodeJS.Signals = 'SIGTERM';
    signalGroup(target.pid, signal);
    while ((await processStartTime(target.pid)) === target.startTime) {
      throwIfAborted(call, name);
      const spentMs = performance.now() - beganMs;
      if (spentMs > timeoutMs)
        throw kitErrors.make('SERVICE_TIMEOUT', { detail: `${name} did not end in ${timeoutMs} ms` });
      if (signal === 'SIGTERM' && spentMs > timeoutMs * KILL_AFTER_SHARE) {
        signal = 'SIGKILL';
        signalGroup(target.pid, signal);
      }
      await delay(POLL_MS);
    }
  }

  return {
    kind: 'pidfile',
    status,
    start,
    stop,
    async restart(name, call) {
      await stop(name, call);
      await start(name, call);
    },
  };
}

type Found =
  | { readonly state: 'alive'; readonly pid: number; readonly startTime: string }
  | { readonly state: 'gone'; readonly pid: number }
  | { readonly state: 'none' };

async function findProcess(pidFile: string): Promise<Found> {
  const text = (await readFileIfExists(pidFile))?.toString('utf8').trim();
  const [pidText, startTime] = (text ?? '').split(' ');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 1) return { state: 'none' };
  const now = await processStartTime(pid);
  return now !== undefined && startTime === now ? { state: 'alive', pid, startTime } : { state: 'gone', pid };
}

function spawnDetached(name: string, { command }: ServiceDeclaration): Promise<number> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { detached: true, stdio: 'ignore', windowsHide: true });
    child.once('error', (cause) => {
      reject(
        kitErrors.make('SERVICE_MANAGER_FAILED', { detail: `${name} could not be started: ${cause.message}`, cause }),
      );
    });
    child.once('spawn', () => {
      child.unref();
      resolve(child.pid!);
    });
  });
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // Ended between the look and the signal: the loop sees that.
  }
}

function throwIfAborted({ signal }: ServiceCall, name: string): void {
  if (signal?.aborted) throw kitErrors.make('SERVICE_ACTION_ABORTED', { detail: name });
}
