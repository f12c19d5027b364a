import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isCodedError } from '@sitewarden/kit/errors';
import { acquireLock, isProcessAlive } from '@sitewarden/kit/files';
import { agentErrors } from '../errors.ts';
import { LOCK_FILE } from './state-file.ts';
import { requestStop } from './stop-request.ts';

/** More than `run` gives itself. */
const STOP_WITHIN_MS = 12_000;
const LOOK_EVERY_MS = 100;

/**
 * Asks the agent that runs on this folder to end, and waits until it has. False when none runs. Throws STOP_TIMED_OUT and
 * what acquireLock throws.
 */
export async function stopAgent(dataDir: string): Promise<boolean> {
  const pid = await holderOf(dataDir);
  if (pid === undefined) return false;
  if (process.platform === 'win32') await requestStop(dataDir);
  else process.kill(pid, 'SIGTERM');
  const endMs = performance.now() + STOP_WITHIN_MS;
  while (isProcessAlive(pid)) {
    if (performance.now() > endMs) throw agentErrors.make('STOP_TIMED_OUT', { detail: `Process ${pid} goes on` });
    await delay(LOOK_EVERY_MS);
  }
  return true;
}

/** The lock is the kernel's, so the process named beside it is the agent and not one that got its number later. */
async function holderOf(dataDir: string): Promise<number | undefined> {
  const path = join(dataDir, LOCK_FILE);
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  try {
    acquireLock(path).release();
    return undefined;
  } catch (error) {
    const pid = isCodedError(error, 'FILE_LOCKED') ? (error.data as { pid?: number } | undefined)?.pid : undefined;
    if (pid === undefined) throw error;
    return pid;
  }
}
