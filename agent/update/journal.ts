import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, syncFolder, writeFileAtomic } from '@sitewarden/kit/files';

/**
 * What a program that was put in place, or put back, has to know. On disk before the first rename; gone once the order is
 * answered for.
 */
export interface UpdateJournal {
  readonly version: 1;
  readonly orderId: string;
  readonly from: string;
  readonly to: string;
  /** The file that is replaced, and where the old one is kept. */
  readonly program: string;
  readonly kept: string;
  /** How many migrations of the queue the old program knows. */
  readonly migrations: number;
  /** Of the new program, before it connected. */
  readonly starts: number;
  /** The old program is put back, or is about to be. */
  readonly isBack: boolean;
}

const fileOf = (dataDir: string): string => join(dataDir, 'update.json');

/** undefined when no update is under way. One that cannot be read is none: whatever program runs goes on. */
export async function readJournal(dataDir: string): Promise<UpdateJournal | undefined> {
  const bytes = await readFileIfExists(fileOf(dataDir));
  if (bytes === undefined) return undefined;
  try {
    const value = JSON.parse(bytes.toString('utf8')) as UpdateJournal;
    return value.version === 1 && typeof value.orderId === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

export async function writeJournal(dataDir: string, journal: UpdateJournal): Promise<void> {
  await writeFileAtomic(fileOf(dataDir), `${JSON.stringify(journal)}\n`);
}

export async function removeJournal(dataDir: string): Promise<void> {
  await rm(fileOf(dataDir), { force: true });
  await syncFolder(dataDir);
}
