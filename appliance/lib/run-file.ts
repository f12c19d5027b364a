import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isLocked, writeFileAtomic } from '@sitewarden/kit/files';

/** Where the running daemon can be reached; ports may be picked at start. */
export interface RunFile {
  readonly pid: number;
  readonly localUrl: string;
  readonly intakeAddress: string;
}

/** Held by the one process that works on a data folder. */
export const LOCK_FILE = 'appliance.lock';

const pathOf = (dataDir: string): string => join(dataDir, 'run.json');

export async function writeRunFile(dataDir: string, run: RunFile): Promise<void> {
  await writeFileAtomic(pathOf(dataDir), `${JSON.stringify(run)}\n`);
}

export async function removeRunFile(dataDir: string): Promise<void> {
  await rm(pathOf(dataDir), { force: true });
}

/** Undefined when no daemon runs on this folder. */
export async function readRunFile(dataDir: string): Promise<RunFile | undefined> {
  try {
    const run = JSON.parse(await readFile(pathOf(dataDir), 'utf8')) as RunFile;
    // A pid may be another process by now; the lock goes with the daemon that held it.
    return isLocked(join(dataDir, LOCK_FILE)) ? run : undefined;
  } catch {
    return undefined;
  }
}
