import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Finding, type Patient } from './types.ts';

const MIN_FREE_BYTES = 64 * 1024 * 1024;
const MIN_FREE_FILES = 1000;

/** Is there room, and can it be written. */
export async function examineDisk({ dataDir }: Patient): Promise<string> {
  const { bavail, bsize, files, ffree } = await statfs(dataDir);
  const freeBytes = bavail * bsize;
  const free = `${Math.floor(freeBytes / 1_048_576)} MiB`;
  if (freeBytes < MIN_FREE_BYTES) {
    throw new Finding(
      'DISK_FULL',
      `Only ${free} are free under ${dataDir}. Free space on it, or put in a larger disk.`,
    );
  }
  if (files > 0 && ffree < MIN_FREE_FILES) {
    throw new Finding('DISK_FULL', `Only ${ffree} more files fit under ${dataDir}. Remove some that are not needed.`);
  }
  try {
    await writeOnce(dataDir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    throw new Finding(
      'DISK_READ_ONLY',
      `${dataDir} cannot be written (${code}). Check the disk and its rights; replace it if it has failed.`,
    );
  }
  return `${free} are free, and the disk can be written.`;
}

/** Written, synced and removed: a file system that turned read-only still has free space. */
async function writeOnce(dataDir: string): Promise<void> {
  const folder = await mkdtemp(join(dataDir, '.doctor-'));
  try {
    const file = await open(join(folder, 'write'), 'wx', 0o600);
    try {
      await file.writeFile('ok');
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
