import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { kitErrors } from '../errors/index.ts';

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

/**
 * Makes `path` and its missing parents with `mode`. A folder already there keeps its mode: it may be shared. Throws
 * FILE_NOT_DIRECTORY, DATA_DIR_UNUSABLE. One parent at a time: Node's recursive mkdir never returns on a file system that
 * answers ENOENT to mkdir in a folder that is there, as /proc does.
 */
export async function ensureDir(path: string, mode = 0o700): Promise<void> {
  const missing: string[] = [];
  let at = resolve(path);
  while (!(await isFolder(at, path))) {
    missing.push(at);
    at = dirname(at);
  }
  for (const folder of missing.reverse()) {
    await mkdir(folder, { mode }).catch((cause: unknown) => {
      // Another process may have made it meanwhile; whether it is a folder is looked at below.
      if (codeOf(cause) !== 'EEXIST') throw unusable(path, `${folder} cannot be made`, cause);
    });
  }
  if (!(await isFolder(resolve(path), path))) throw unusable(path, 'it leads nowhere', undefined);
}

async function isFolder(at: string, path: string): Promise<boolean> {
  try {
    if ((await stat(at)).isDirectory()) return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' && dirname(at) !== at) return false;
    if (code !== 'ENOTDIR') throw unusable(path, `${at} cannot be looked at`, error);
  }
  throw kitErrors.make('FILE_NOT_DIRECTORY', { detail: `${at} is not a folder` });
}

function unusable(path: string, what: string, cause: unknown): Error {
  const why = cause === undefined ? '' : ` (${codeOf(cause)})`;
  return kitErrors.make('DATA_DIR_UNUSABLE', { detail: `${path}: ${what}${why}`, cause });
}

/** The content, or undefined when there is no such file. Every other fault is thrown. */
export async function readFileIfExists(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
