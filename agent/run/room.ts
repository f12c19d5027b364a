import { statfsSync } from 'node:fs';

export interface Room {
  readonly totalBytes: number;
  readonly usedBytes: number;
  /** What this user can still write. */
  readonly freeBytes: number;
  /** Too little for the queue to store anything, or no more files. */
  readonly isFull: boolean;
}

/** The queue writes pages of 4 KiB, a handful for each report. */
const MIN_FREE_BYTES = 256 * 1024;

/** Of the volume of the data folder. It needs no writing, so it tells also when nothing else does. */
export function readRoom(dataDir: string): Room | undefined {
  try {
    const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(dataDir);
    const freeBytes = bavail * bsize;
    // Some file systems count no files.
    const isFull = freeBytes < MIN_FREE_BYTES || (files > 0 && ffree === 0);
    return { totalBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize, freeBytes, isFull };
  } catch {
    return undefined;
  }
}
