import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { InstallerFile } from '@sitewarden/agent-proto/installers';
import { agentErrors } from '../errors.ts';
import { FetchFault, type FetchPiece } from './source.ts';

export interface DownloadOptions {
  readonly fetchPiece: FetchPiece;
  readonly file: InstallerFile;
  /** The program it shall replace: it is laid beside that, so that a rename is enough. */
  readonly program: string;
  readonly signal: AbortSignal;
  /** For all of it. Default half an hour. */
  readonly withinMs?: number;
}

const WITHIN_MS = 30 * 60_000;
/** A box that starts again is back sooner. */
const STILL_MS = 5 * 60_000;

/** Where the file grows. Its digest is in the name: what is there of another one is of no use. */
export const partOf = (program: string, { sha256 }: Pick<InstallerFile, 'sha256'>): string =>
  join(dirname(program), `.${basename(program)}.${sha256.slice(0, 16)}.part`);

/**
 * Fetches the file beside the program, mode 0700, and answers its path. What an earlier try left is gone on with. It has
 * the size and the SHA-256 of the signed manifest, read back from the disk. Throws UPDATE_DOWNLOAD_FAILED, UPDATE_FILE_WRONG,
 * UPDATE_NO_ROOM, and what `signal` was called off with.
 */
export async function download(options: DownloadOptions): Promise<string> {
  const { file, program, signal } = options;
  const endMs = performance.now() + (options.withinMs ?? WITHIN_MS);
  const path = partOf(program, file);
  await removeParts(program, path);
  for (let isFirst = true; ; isFirst = false) {
    const handle = await openPart(path);
    let begunAt: number;
    try {
      begunAt = await startOf(handle, file);
      await fill(handle, begunAt, { ...options, endMs });
      await handle.sync();
    } catch (error) {
      throw await faultOf(error, path);
    } finally {
      await handle.close();
    }
    signal.throwIfAborted();
    if ((await digestOf(path)) === file.sha256) return path;
    await rm(path, { force: true });
    // The end may fit another beginning: once, it is fetched whole.
    if (begunAt === 0 || !isFirst) throw agentErrors.make('UPDATE_FILE_WRONG');
  }
}

/** Removes what other updates left beside the program. */
export async function removeParts(program: string, except?: string): Promise<void> {
  const [folder, prefix] = [dirname(program), `.${basename(program)}.`];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.startsWith(prefix) && name.endsWith('.part') && path !== except) await rm(path, { force: true });
  }
}

function openPart(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW = 0 } = constants;
  return open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o700).catch((cause: NodeJS.ErrnoException) => {
    throw agentErrors.make('UPDATE_NOT_POSSIBLE', {
      detail: `Nothing can be written beside the program: ${cause.code}`,
    });
  });
}

/** How much of it is there already; 0 for a file that cannot be its beginning. */
async function startOf(handle: FileHandle, { bytes }: InstallerFile): Promise<number> {
  const found = await handle.stat();
  const isOurs =
    found.isFile() && found.nlink === 1 && (process.getuid === undefined || found.uid === process.getuid());
  if (!isOurs) throw agentErrors.make('UPDATE_NOT_POSSIBLE', { detail: 'Something else lies beside the program' });
  if (process.platform !== 'win32') await handle.chmod(0o700);
  if (found.size <= bytes) return found.size;
  await handle.truncate(0);
  return 0;
}

async function fill(
  handle: FileHandle,
  begunAt: number,
  { file, fetchPiece, signal, endMs }: DownloadOptions & { endMs: number },
): Promise<void> {
  let offset = begunAt;
  let movedAtMs = performance.now();
  while (offset < file.bytes) {
    signal.throwIfAborted();
    if (performance.now() > Math.min(endMs, movedAtMs + STILL_MS)) throw failed('It took too long');
    try {
      const { data, totalBytes } = await fetchPiece(file.file, offset);
      if (totalBytes !== file.bytes || data.length === 0 || offset + data.length > file.bytes) {
        throw agentErrors.make('UPDATE_FILE_WRONG', { detail: 'It has another size' });
      }
      await handle.write(data, 0, data.length, offset);
      offset += data.length;
      movedAtMs = performance.now();
    } catch (error) {
      if (!(error instanceof FetchFault)) throw error;
      if (error.retryMs === undefined) throw failed(error.message);
      await delay(error.retryMs, undefined, { signal });
    }
  }
}

async function faultOf(error: unknown, path: string): Promise<unknown> {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'UPDATE_FILE_WRONG') await rm(path, { force: true });
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  await rm(path, { force: true });
  return agentErrors.make('UPDATE_NO_ROOM', { cause: error });
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

const failed = (detail: string): Error => agentErrors.make('UPDATE_DOWNLOAD_FAILED', { detail });
