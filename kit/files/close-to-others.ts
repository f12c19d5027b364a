import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface OpenFile {
  readonly path: string;
  /** As it was found: `0644`. */
  readonly mode: string;
}

const GROUP_AND_OTHERS = 0o077;

/** A folder of secrets and what lies in it, as far as accounts other than the owner have rights to it. */
export async function listOpenToOthers(folder: string): Promise<OpenFile[]> {
  // Windows has no such bits; its rights are inherited from the folder above.
  if (process.platform === 'win32') return [];
  const open: OpenFile[] = [];
  const names = await readdir(folder).catch(() => []);
  for (const path of [folder, ...names.map((name) => join(folder, name))]) {
    const mode = await stat(path).then(
      (found) => found.mode & 0o777,
      () => 0,
    );
    if ((mode & GROUP_AND_OTHERS) !== 0) open.push({ path, mode: mode.toString(8).padStart(4, '0') });
  }
  return open;
}

/** Takes those rights away and tells of each; `error` where the file system refused. */
export async function closeToOthers(folder: string): Promise<(OpenFile & { readonly error?: Error })[]> {
  const open = await listOpenToOthers(folder);
  return Promise.all(
    open.map((file) =>
      chmod(file.path, Number.parseInt(file.mode, 8) & ~GROUP_AND_OTHERS).then(
        () => file,
        (error: Error) => ({ ...file, error }),
      ),
    ),
  );
}
