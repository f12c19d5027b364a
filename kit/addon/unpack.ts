import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { kitErrors } from '../errors/index.ts';

const PREFIX = 'better-sqlite3-';

/**
 * Puts `bytes` into `folder` (0700, made when its parent exists) under a name that holds their SHA-256, and answers the
 * path. A file that is there already is read again first: what is loaded is what was shipped, or nothing. Other versions
 * are removed, as far as no process uses them. Throws ADDON_UNUSABLE; a missing parent is ENOENT.
 */
export function unpackAddon(bytes: Uint8Array, folder: string): string {
  const digest = sha256(bytes);
  const name = `${PREFIX}${digest}.node`;
  const path = join(folder, name);
  makePrivate(folder);
  if (!holds(path, digest)) {
    write(path, bytes);
    if (!holds(path, digest))
      throw kitErrors.make('ADDON_UNUSABLE', { detail: `${path} does not read as it was written` });
  }
  removeOthers(folder, name);
  return path;
}

/** Whoever else could write here could have their own code loaded by the agent, which runs as root. */
function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = lstatSync(folder);
  const isOwn = process.getuid === undefined || found.uid === process.getuid();
  if (!found.isDirectory() || !isOwn) {
    throw kitErrors.make('ADDON_UNUSABLE', { detail: `${folder} is not a folder of this account` });
  }
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) chmodSync(folder, 0o700);
}

function holds(path: string, digest: string): boolean {
  try {
    return lstatSync(path).isFile() && sha256(readFileSync(path)) === digest;
  } catch {
    return false;
  }
}

/** Renamed into place whole: a second process that starts at the same time finds all of it or makes its own. */
function write(path: string, bytes: Uint8Array): void {
  const temp = `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = openSync(temp, 'wx', 0o600);
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temp, path);
  } catch (cause) {
    rmSync(temp, { force: true });
    throw kitErrors.make('ADDON_UNUSABLE', { detail: `${path}: ${(cause as Error).message}`, cause });
  }
}

function removeOthers(folder: string, name: string): void {
  for (const other of readdirSync(folder)) {
    if (other === name || !other.startsWith(PREFIX) || !other.endsWith('.node')) continue;
    try {
      rmSync(join(folder, other), { force: true });
    } catch {
      // Windows keeps a library that a process has loaded; the next start tries again.
    }
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
