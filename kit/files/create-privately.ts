import { closeSync, openSync } from 'node:fs';

/**
 * Makes an empty file of mode 0600 unless one exists, for libraries that would make it readable to all. An existing file
 * is not even opened: closing it again would drop the fcntl locks this process holds on it through SQLite.
 */
export function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
