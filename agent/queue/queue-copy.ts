import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openConnection } from '@sitewarden/kit/addon';
import { syncFolder } from '@sitewarden/kit/files';

const QUEUE_FILE = 'queue.db';
/** As it was before a newer program changed its form. */
const KEPT_FILE = 'queue.before-update.db';

/** A whole copy of the queue in `toDir`, also beside a running agent. Nothing when there is no queue yet. */
export function copyQueue(dataDir: string, toDir: string, name = QUEUE_FILE): void {
  const from = join(dataDir, QUEUE_FILE);
  if (!existsSync(from)) return;
  // The library of a one-file program is unpacked beside the first file it opens: where the copy goes.
  const to = join(toDir, name);
  openConnection(join(toDir, 'unpack.db'), {}).close();
  rmSync(join(toDir, 'unpack.db'), { force: true });
  const db = openConnection(from, { readonly: true });
  try {
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

/** For a way back over a change of its form. A copy that is there already is older, and stays. */
export async function keepQueue(dataDir: string): Promise<void> {
  const kept = join(dataDir, KEPT_FILE);
  if (existsSync(kept)) return;
  const temp = `${KEPT_FILE}.new`;
  rmSync(join(dataDir, temp), { force: true });
  copyQueue(dataDir, dataDir, temp);
  if (existsSync(join(dataDir, temp))) renameSync(join(dataDir, temp), kept);
  await syncFolder(dataDir);
}

/** Puts the kept copy back, when there is one. Nobody may have the queue open. */
export async function putQueueBack(dataDir: string): Promise<void> {
  const [kept, queue] = [join(dataDir, KEPT_FILE), join(dataDir, QUEUE_FILE)];
  if (!existsSync(kept)) return;
  if (existsSync(queue)) {
    const db = openConnection(queue, {});
    // A log that outlived its database would be read into the other one.
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
  }
  for (const suffix of ['-wal', '-shm']) rmSync(`${queue}${suffix}`, { force: true });
  renameSync(kept, queue);
  await syncFolder(dataDir);
}

export function dropKeptQueue(dataDir: string): void {
  rmSync(join(dataDir, KEPT_FILE), { force: true });
}
