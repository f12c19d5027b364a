import { closeSync, copyFileSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '@sitewarden/kit/files';

export const keptOf = (program: string): string => `${program}.old`;

interface Files {
  readonly program: string;
  readonly kept: string;
}

/** `next`, on the same volume, takes the place of the program, which is kept. On Unix there is a program at every moment. */
export async function putInPlace(next: string, { program, kept }: Files): Promise<void> {
  await chmod(next, 0o755);
  if (process.platform === 'win32') {
    rmSync(kept, { force: true });
    replaceRunning(next, { program, aside: kept });
    return;
  }
  copyTo(program, kept);
  renameSync(next, program);
  await syncFolder(dirname(program));
}

/** The kept program takes its place again, and stays kept. Can be done again at any moment. */
export async function putBack({ program, kept }: Files): Promise<void> {
  const temp = `${program}.back`;
  if (process.platform === 'win32') {
    copySynced(kept, temp);
    const aside = `${program}.bad`;
    rmSync(aside, { force: true });
    replaceRunning(temp, { program, aside });
    return;
  }
  copyTo(kept, temp);
  renameSync(temp, program);
  rmSync(temp, { force: true });
  await syncFolder(dirname(program));
}

/** By a second name of the same file where the volume has such, so that it costs no room. Whole or not at all. */
function copyTo(from: string, to: string): void {
  const temp = `${to}.new`;
  rmSync(temp, { force: true });
  try {
    linkSync(from, temp);
  } catch {
    copySynced(from, temp);
  }
  renameSync(temp, to);
  // Of two names of one file a rename leaves both.
  rmSync(temp, { force: true });
}

function copySynced(from: string, to: string): void {
  copyFileSync(from, to);
  const file = openSync(to, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Windows lets nobody replace a program that runs, but rename it. Between the two renames there is none: they stand side by
 * side, and the first is undone when the second fails.
 */
function replaceRunning(next: string, { program, aside }: { program: string; aside: string }): void {
  renameSync(program, aside);
  try {
    renameSync(next, program);
  } catch (error) {
    renameSync(aside, program);
    throw error;
  }
}
