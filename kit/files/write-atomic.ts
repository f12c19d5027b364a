import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isProcessAlive } from './process-alive.ts';

/** A live process's temp older than this was left by an earlier owner of its pid. */
const LEFTOVER_AFTER_MS = 10 * 60_000;
const ownTemps = new Set<string>();

/**
 * Replaces `path` by `data` so that a power cut leaves the old content or the new, never a mix. The folder must exist.
 * A symbolic link at `path` is replaced, not followed. `mode` is exact, whatever the umask.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode = 0o600 }: { mode?: number } = {},
): Promise<void> {
  const target = resolve(path);
  const folder = dirname(target);
  await removeLeftovers(folder, basename(target));
  const temp = join(folder, `.${basename(target)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  ownTemps.add(temp);
  try {
    const file = await open(temp, 'wx', mode);
    try {
      await file.chmod(mode);
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temp, target);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  } finally {
    ownTemps.delete(temp);
  }
  await syncFolder(folder);
}

/** Makes renames and removals inside `folder` durable. Windows cannot sync a folder; NTFS journals its metadata. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

async function removeLeftovers(folder: string, name: string): Promise<void> {
  const prefix = `.${name}.`;
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(prefix) || !entry.endsWith('.tmp')) continue;
    const pid = /^(\d+)-[0-9a-f]{12}\.tmp$/.exec(entry.slice(prefix.length))?.[1];
    const path = join(folder, entry);
    if (pid !== undefined && !ownTemps.has(path) && (await isLeftover(path, Number(pid))))
      await rm(path, { force: true });
  }
}

async function isLeftover(path: string, pid: number): Promise<boolean> {
  if (pid === process.pid || !isProcessAlive(pid)) return true;
  try {
    return Date.now() - (await stat(path)).mtimeMs > LEFTOVER_AFTER_MS;
  } catch {
    return false;
  }
}
