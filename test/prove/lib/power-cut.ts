import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the proof needs beside Node; root for mount. */
export const POWER_CUT_TOOLS = ['mkfs.ext4', 'mount', 'umount', 'xfs_io'];

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });

export interface Disk {
  /** Outside the disk, removed with it. */
  readonly base: string;
  readonly folder: string;
  /** Writes back everything that is in memory. */
  sync(): void;
  /** Everything that was not synced is gone from here on; every later write fails. */
  cutPower(): void;
  /** As after the reboot: journal replayed, mounted again. Programs that held files must be gone. */
  reboot(): void;
  remove(): void;
}

/** An ext4 file system on a loop file. commit=60 keeps the kernel from writing back on its own within a short run. */
export function makeDisk(megabytes = 96): Disk {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-disk-'));
  const image = join(base, 'image');
  const folder = join(base, 'mounted');
  mkdirSync(folder);
  run('truncate', '-s', `${megabytes}M`, image);
  run('mkfs.ext4', '-q', '-F', image);
  const mount = () => run('mount', '-o', 'loop,commit=60', image, folder);
  mount();
  return {
    base,
    folder,
    sync: () => run('sync', '-f', folder),
    cutPower: () => run('xfs_io', '-x', '-c', 'shutdown', folder),
    reboot: () => {
      run('umount', folder);
      mount();
    },
    remove: () => {
      try {
        run('umount', folder);
      } finally {
        rmSync(base, { recursive: true, force: true });
      }
    },
  };
}
