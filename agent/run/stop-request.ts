import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomic } from '@sitewarden/kit/files';

const LOOK_EVERY_MS = 500;
const fileOf = (dataDir: string): string => join(dataDir, 'stop-request');

/**
 * Windows has no signal that asks a process of another session to end. A file in the data folder asks, so whoever may
 * write there may stop the agent, and nobody else.
 */
export async function requestStop(dataDir: string): Promise<void> {
  await writeFileAtomic(fileOf(dataDir), '');
}

/** True at a request made after this call, false when `signal` ends the watch; an old request is none. Keeps no process alive. */
export async function stopRequested(
  dataDir: string,
  signal: AbortSignal,
  lookEveryMs = LOOK_EVERY_MS,
): Promise<boolean> {
  const before = await madeAt(dataDir);
  while (!signal.aborted) {
    if ((await madeAt(dataDir)) !== before) return true;
    await delay(lookEveryMs, undefined, { signal, ref: false }).catch(() => {});
  }
  return false;
}

/** The inode tells two requests within one tick of the clock apart. */
async function madeAt(dataDir: string): Promise<string> {
  return stat(fileOf(dataDir)).then(
    ({ mtimeMs, ino }) => `${mtimeMs}-${ino}`,
    () => '',
  );
}
