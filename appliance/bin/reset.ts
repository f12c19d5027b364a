import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireLock, type FileLock } from '@sitewarden/kit/files';
import { readConfigFile } from '../config/index.ts';
import { applianceErrors } from '../errors.ts';
import { LOCK_FILE } from '../lib/run-file.ts';

const SET_ASIDE = 'set-aside-';

/**
 * Makes a box that is to be claimed anew out of one that has a site, or a log that cannot go on: all it knows is moved into
 * a folder beside, nothing is deleted. The lock of the running program is held meanwhile. Throws BOX_RUNS,
 * RESET_NOT_CONFIRMED.
 */
export async function reset({ config: file, yes = false }: { config: string; yes?: boolean }): Promise<void> {
  const { dataDir } = await readConfigFile(file);
  if (!existsSync(dataDir)) {
    sayNothingToDo(dataDir);
    return;
  }
  const lock = lockOf(dataDir);
  try {
    await setAside(dataDir, yes);
  } finally {
    lock.release();
  }
}

function sayNothingToDo(dataDir: string): void {
  console.log(`${dataDir} is empty: this box is as new already. Start it and claim it.`);
}

function lockOf(dataDir: string): FileLock {
  try {
    return acquireLock(join(dataDir, LOCK_FILE));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'FILE_LOCKED') throw error;
    throw applianceErrors.make('BOX_RUNS', { detail: `A process works on ${dataDir}`, cause: error });
  }
}

async function setAside(dataDir: string, isConfirmed: boolean): Promise<void> {
  // Whoever waits for the lock holds the very file.
  const stays = (name: string) => name.startsWith(SET_ASIDE) || name.startsWith(LOCK_FILE);
  const names = (await readdir(dataDir)).filter((name) => !stays(name));
  if (names.length === 0) {
    sayNothingToDo(dataDir);
    return;
  }
  const aside = join(dataDir, `${SET_ASIDE}${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
  console.log(
    [
      `${isConfirmed ? 'Moving' : 'This would move'} what this box knows from ${dataDir}`,
      `to ${aside}: its keys, its log and what it has not delivered yet.`,
      'It starts as a new box then: claim it again, and enrol the workstations of the site again, for its',
      'site CA is a new one. The box it was shows on the site page until another takes its place.',
    ].join('\n'),
  );
  if (!isConfirmed) throw applianceErrors.make('RESET_NOT_CONFIRMED');
  await mkdir(aside, { mode: 0o700 });
  for (const name of names) await rename(join(dataDir, name), join(aside, name));
  await syncFolders([aside, dataDir]);
  console.log('Done. Start the box and claim it.');
}

async function syncFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  }
}
