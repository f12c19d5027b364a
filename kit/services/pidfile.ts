import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { kitErrors } from '../errors/index.ts';
import { readFileIfExists, writeFileAtomic } from '../files/index.ts';
import { readDeclaration, type ServiceDeclaration } from './declaration.ts';
import { processIdentity } from './process-identity.ts';
import { DEFAULT_TIMEOUT_MS } from './run-manager.ts';
import { signalGroup, spawnDetached } from './spawn-detached.ts';
import { assertServiceName, type ServiceCall, type ServiceManager, type ServiceStatus } from './types.ts';

export interface PidfileOptions {
  /** Holds `<name>.json` for each declared service. Whoever may write there decides what runs: keep it to the owner. */
  readonly dir: string;
  readonly timeoutMs?: number;
}

const POLL_MS = 20;
/** A command that cannot even begin (bad argv, port taken) ends within this; longer and it counts as started. */
const SETTLE_MS = 150;
/** After this the polite SIGTERM becomes SIGKILL; the rest of the time limit is for the kernel. */
const KILL_AFTER_SHARE = 0.75;

/**
 * For hosts without a service manager (containers, no privileges). The pid file holds `pid`, a newline, and what tells
 * this process from a later one of the same pid. Calls for one name are done one after the other.
 */
export function createPidfileManager({ dir, timeoutMs = DEFAULT_TIMEOUT_MS }: PidfileOptions): ServiceManager {
  const queues = new Map<string, Promise<void>>();

  async function declared(name: string): Promise<ServiceDeclaration> {
    assertServiceName(name);
    const declaration = await readDeclaration(dir, name);
    if (declaration !== undefined) return declaration;
    throw kitErrors.make('SERVICE_UNKNOWN', { detail: `${name} is not declared in ${dir}` });
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

  async function start(name: string, call: ServiceCall): Promise<void> {
    const { command, pidFile } = await declared(name);
    if ((await findProcess(pidFile)).state === 'alive') return;
    throwIfAborted(call, name);
    const pid = await spawnDetached(name, command);
    const identity = await processIdentity(pid);
    if (identity !== undefined) await writePidFile(pidFile, { pid, identity });
    await delay(SETTLE_MS);
    if (identity !== undefined && (await processIdentity(pid)) === identity) return;
    throw kitErrors.make('SERVICE_MANAGER_FAILED', { detail: `${name} ended as soon as it was started` });
  }

  async function stop(name: string, call: ServiceCall): Promise<void> {
    const { pidFile } = await declared(name);
    const found = await findProcess(pidFile);
    throwIfAborted(call, name);
    if (found.state === 'alive') await endProcess(name, found, call);
    await rm(pidFile, { force: true });
  }

  async function endProcess(name: string, { pid, identity }: RunningProcess, call: ServiceCall): Promise<void> {
    const beganMs = performance.now();
    let signal: NodeJS.Signals = 'SIGTERM';
    signalGroup(pid, signal);
    while ((await processIdentity(pid)) === identity) {
      throwIfAborted(call, name);
      const spentMs = performance.now() - beganMs;
      if (spentMs > timeoutMs) {
        throw kitErrors.make('SERVICE_TIMEOUT', { detail: `${name} did not end in ${timeoutMs} ms` });
      }
      if (signal === 'SIGTERM' && spentMs > timeoutMs * KILL_AFTER_SHARE) {
        signal = 'SIGKILL';
        signalGroup(pid, signal);
      }
      await delay(POLL_MS);
    }
  }

  function inTurn(name: string, action: () => Promise<void>): Promise<void> {
    const turn = (queues.get(name) ?? Promise.resolve()).catch(() => {}).then(action);
    queues.set(name, turn);
    const forget = () => {
      if (queues.get(name) === turn) queues.delete(name);
    };
    turn.then(forget, forget);
    return turn;
  }

  return {
    kind: 'pidfile',
    status,
    start: (name, call = {}) => inTurn(name, () => start(name, call)),
    stop: (name, call = {}) => inTurn(name, () => stop(name, call)),
    restart: (name, call = {}) =>
      inTurn(name, async () => {
        await stop(name, call);
        await start(name, call);
      }),
  };
}

interface RunningProcess {
  readonly pid: number;
  readonly identity: string;
}

type Found = ({ readonly state: 'alive' } & RunningProcess) | { state: 'gone'; pid: number } | { state: 'none' };

async function findProcess(pidFile: string): Promise<Found> {
  const text = (await readFileIfExists(pidFile))?.toString('utf8') ?? '';
  const [pidText, identity] = text.split('\n');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 1) return { state: 'none' };
  const now = await processIdentity(pid);
  return now !== undefined && identity === now ? { state: 'alive', pid, identity } : { state: 'gone', pid };
}

async function writePidFile(pidFile: string, { pid, identity }: RunningProcess): Promise<void> {
  try {
    await writeFileAtomic(pidFile, `${pid}\n${identity}\n`, { mode: 0o644 });
  } catch (cause) {
    // Left running it would be started a second time by the next call.
    signalGroup(pid, 'SIGKILL');
    throw kitErrors.make('SERVICE_MANAGER_FAILED', { detail: `${pidFile} cannot be written`, cause });
  }
}

function throwIfAborted({ signal }: ServiceCall, name: string): void {
  if (signal?.aborted) throw kitErrors.make('SERVICE_ACTION_ABORTED', { detail: name });
}
