import { statfs } from 'node:fs/promises';

export interface DiskSpace {
  readonly totalBytes: number;
  /** What a program without special rights can still write. */
  readonly freeBytes: number;
}

/** Of the file system that holds `path`. Rejects when there is none. */
export async function diskSpace(path: string): Promise<DiskSpace> {
  const { bsize, blocks, bavail } = await statfs(path, { bigint: true });
  return { totalBytes: Number(bsize * blocks), freeBytes: Number(bsize * bavail) };
}
