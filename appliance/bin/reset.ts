import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfigFile } from '../config/index.ts';
import { applianceErrors } from '../errors.ts';
import { readRunFile } from '../lib/run-file.ts';

const SET_ASIDE = 'set-aside-';

/**
 * Makes a box that is to be claimed anew out of one that has a site, or a log that cannot go on: all it knows is moved into
 * a folder beside, nothing is deleted. Throws BOX_RUNS, RESET_NOT_CONFIRMED.
 */
export async function reset({ config: file, yes = false }: { config: string; yes?: boolean }): Promise<void> {
  const { dataDir } = await readConfigFile(file);
  const run = await readRunFile(dataDir);
  if (run !== undefined) throw applianceErrors.make('BOX_RUNS', { detail: `Process ${run.pid} works on ${dataDir}` });
  const names = (await namesIn(dataDir)).filter((name) => !name.startsWith(SET_ASIDE));
  if (names.length === 0) {
    console.log(`${dataDir} is empty: this box is as new already. Start it and claim it.`);
    return;
  }
  const aside = join(dataDir, `${SET_ASIDE}${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
  console.log(
    [
      `${yes ? 'Moving' : 'This would move'} what this box knows from ${dataDir}`,
      `to ${aside}: its keys, its log and what it has not delivered yet.`,
      'It starts as a new box then: claim it again, and enrol the workstations of the site again, for its',
      'site CA is a new one. The box it was shows on the site page until another takes its place.',
    ].join('\n'),
  );
  if (!yes) throw applianceErrors.make('RESET_NOT_CONFIRMED');
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

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
