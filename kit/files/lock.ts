import { readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type Database from 'better-sqlite3';
import { openConnection } from '../addon/index.ts';
import { isCodedError, isNoRoom, kitErrors } from '../errors/index.ts';
import { createPrivately } from './create-privately.ts';

/** Somebody who only looks whether it is held holds a shared lock for a moment. */
const WAIT_MS = 200;

export interface FileLock {
  readonly path: string;
  /** Idempotent. */
  release(): void;
}

/**
 * Takes the single-instance lock at `path`, or throws FILE_LOCKED with `data.pid` of the holder (when known), or
 * FILE_LOCK_NO_ROOM, FILE_LOCK_UNUSABLE. The folder must exist.
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
  let db: Database.Database | undefined;
  try {
    createPrivately(target);
    db = openConnection(target, { timeout: WAIT_MS });
    // A journal on disk would need room, and nothing is ever written.
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    const isMade = db !== undefined;
    db?.close();
    if (isCodedError(error, 'ADDON_UNUSABLE')) throw error;
    const code = String((error as { code?: unknown }).code);
    if (code.startsWith('SQLITE_BUSY')) throw lockedBy(target, readPid(pidPath), error);
    const detail = `${target} cannot be locked (${code})`;
    if (isNoRoom(error) || (code === 'SQLITE_CANTOPEN' && isFull(dirname(target))))
      throw kitErrors.make('FILE_LOCK_NO_ROOM', { detail, cause: error });
    // What the folder itself refuses, its rights say best.
    if (!isMade) throw error;
    throw kitErrors.make('FILE_LOCK_UNUSABLE', { detail, cause: error });
  }
  writePid(pidPath);
  const holding = db;
  let held = true;
  return {
    path: target,
    release() {
      if (!held) return;
      held = false;
      rmSync(pidPath, { force: true });
      holding.exec('ROLLBACK');
      holding.close();
    },
  };
}

/** Whether a process holds the lock at `path` now. Never throws: what cannot be looked at is not held. */
export function isLocked(path: string): boolean {
  let db: Database.Database | undefined;
  try {
    db = openConnection(resolve(path), { timeout: 0, readonly: true, fileMustExist: true });
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    return String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY');
  } finally {
    db?.close();
  }
}

/** Without room for one more file SQLite only says that it cannot open its journal. */
function isFull(folder: string): boolean {
  try {
    const { bavail, files, ffree } = statfsSync(folder);
    return bavail === 0 || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
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
