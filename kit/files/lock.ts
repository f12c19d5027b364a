import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import { kitErrors } from '../errors/index.ts';
import { createPrivately } from './create-privately.ts';

export interface FileLock {
  readonly path: string;
  /** Idempotent. */
  release(): void;
}

/**
 * Takes the single-instance lock at `path`, or throws FILE_LOCKED with `data.pid` of the holder (when known), or
 * FILE_LOCK_UNUSABLE. The folder must exist.
 *
 * The lock is an exclusive SQLite transaction on an empty database: SQLite takes real kernel locks (fcntl on Unix,
 * LockFileEx on Windows), so the kernel drops them with the process however it dies. A pid file alone would survive a
 * crash and be wrong after a pid was reused; Node has no flock, and a listening socket cannot be tied to a folder.
 * The file itself must never be opened by other means in this process: closing it would drop the fcntl lock. So the
 * holder's pid stands in `<path>.pid`, for messages only. The lock file is never removed: a waiter could hold its inode.
 */
export function acquireLock(path: string): FileLock {
  const target = resolve(path);
  const pidPath = `${target}.pid`;
  createPrivately(target);
  const db = new Database(target, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    const code = String((error as { code?: unknown }).code);
    if (code.startsWith('SQLITE_BUSY')) throw lockedBy(target, readPid(pidPath), error);
    throw kitErrors.make('FILE_LOCK_UNUSABLE', { detail: `${target} cannot be locked (${code})`, cause: error });
  }
  writePid(pidPath);
  let held = true;
  return {
    path: target,
    release() {
      if (!held) return;
      held = false;
      rmSync(pidPath, { force: true });
      db.exec('ROLLBACK');
      db.close();
    },
  };
}

/** For messages only, so a full disk keeps nobody from the lock. */
function writePid(path: string): void {
  const temp = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temp, `${process.pid}\n`, { mode: 0o600 });
    renameSync(temp, path);
  } catch {
    rmSync(temp, { force: true });
    rmSync(path, { force: true });
  }
}

function lockedBy(path: string, pid: number | undefined, cause: unknown): Error {
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return kitErrors.make('FILE_LOCKED', {
    detail: `${path} is held by ${holder}`,
    cause,
    ...(pid === undefined ? {} : { data: { pid } }),
  });
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
