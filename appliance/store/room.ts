import { existsSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { applianceErrors } from '../errors.ts';
import type { ApplianceContext } from '../lib/context.ts';

const MIB = 1024 * 1024;
const LOOK_EVERY_MS = 2000;

/** Of the file system: below the first intake stops, below the second telemetry is thinned. Never more than the caps. */
export const ROOM = {
  refuseBelow: { fraction: 0.05, capBytes: 256 * MIB },
  thinBelow: { fraction: 0.15, capBytes: 1024 * MIB },
  /** Given up on a full disk, so that there is room to delete: in a log-structured file that takes writing. */
  reserve: { fraction: 0.05, capBytes: 64 * MIB },
} as const;

export interface Space {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Pure: what the disk allows. */
export function judgeRoom({ totalBytes, freeBytes }: Space): 'ample' | 'thin' | 'refuse' {
  const limit = ({ fraction, capBytes }: { fraction: number; capBytes: number }) =>
    Math.min(totalBytes * fraction, capBytes);
  if (freeBytes < limit(ROOM.refuseBelow)) return 'refuse';
  return freeBytes < limit(ROOM.thinBelow) ? 'thin' : 'ample';
}

const RESERVE_FILE = 'reserve';

async function spaceOf(dataDir: string): Promise<Space> {
  const { bsize, blocks, bfree, bavail } = await statfs(dataDir);
  const free = process.getuid?.() === 0 ? bfree : bavail;
  return { totalBytes: blocks * bsize, freeBytes: free * bsize };
}

/** Before anything else is written: a box that starts on a full disk needs the reserve to start at all. */
export async function makeRoomToStart(dataDir: string): Promise<void> {
  if (judgeRoom(await spaceOf(dataDir)) === 'refuse') await rm(join(dataDir, RESERVE_FILE), { force: true });
}

export interface Room extends LifecyclePart {
  /** Throws DISK_FULL when nothing may be taken in. */
  assert(): void;
  readonly isThin: boolean;
  /** A write has met a full disk: gives the reserve up and looks again. */
  onFull(): void;
}

/** Watches the free space, because SQLite says it only when it is too late to delete. */
export function createRoom({ config, log }: Pick<ApplianceContext, 'config' | 'log'>): Room {
  const reservePath = join(config.dataDir, RESERVE_FILE);
  let verdict: ReturnType<typeof judgeRoom> = 'ample';
  let refusedUntilMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const space = await spaceOf(config.dataDir);
    const before = verdict;
    verdict = judgeRoom(space);
    if (verdict !== before) log.warn({ verdict, ...space }, 'room on the disk');
    if (verdict === 'refuse') await rm(reservePath, { force: true });
    else if (verdict === 'ample' && !existsSync(reservePath)) await makeReserve(space);
  }

  async function makeReserve({ totalBytes, freeBytes }: Space): Promise<void> {
    const bytes = Math.min(ROOM.reserve.capBytes, Math.floor(totalBytes * ROOM.reserve.fraction));
    // With the reserve taken there must still be ample room.
    if (judgeRoom({ totalBytes, freeBytes: freeBytes - bytes }) !== 'ample') return;
    const file = await open(reservePath, 'w', 0o600);
    try {
      const block = Buffer.alloc(MIB);
      for (let left = bytes; left > 0; left -= MIB) await file.write(block, 0, Math.min(MIB, left));
      await file.sync();
    } catch (error) {
      await rm(reservePath, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  }

  function lookSafely(): void {
    looking ??= look()
      .catch((error: unknown) => log.warn({ err: error }, 'the disk could not be asked'))
      .finally(() => {
        looking = undefined;
      });
  }

  return {
    name: 'room',
    get isThin() {
      return verdict !== 'ample';
    },
    assert() {
      if (verdict !== 'refuse' && performance.now() >= refusedUntilMs) return;
      throw applianceErrors.make('DISK_FULL', { data: { retryDelayMs: 5000 } });
    },
    onFull() {
      refusedUntilMs = performance.now() + LOOK_EVERY_MS;
      verdict = 'refuse';
      lookSafely();
    },
    async start() {
      lookSafely();
      timer = setInterval(lookSafely, LOOK_EVERY_MS);
    },
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
