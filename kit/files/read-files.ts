import { mkdir, readFile, stat } from 'node:fs/promises';
import { kitErrors } from '../errors/index.ts';

/** Makes `path` and its missing parents with `mode`. A folder already there keeps its mode: it may be shared. */
export async function ensureDir(path: string, mode = 0o700): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
    throw kitErrors.make('FILE_NOT_DIRECTORY', { detail: `${path} is not a folder`, cause: error });
  }
  if (!(await stat(path)).isDirectory())
    throw kitErrors.make('FILE_NOT_DIRECTORY', { detail: `${path} is not a folder` });
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
