import { spawn } from 'node:child_process';
import { kitErrors } from '../errors/index.ts';
import type { ServiceDeclaration } from './declaration.ts';

/** The pid of a process that leads its own session and outlives us. Throws SERVICE_MANAGER_FAILED. */
export function spawnDetached(name: string, [program, ...args]: ServiceDeclaration['command']): Promise<number> {
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

/** The daemon and what it forked. One that ended meanwhile is no fault: whoever waits for it sees that. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // Gone.
  }
}
