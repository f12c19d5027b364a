import type { Logger } from '@sitewarden/kit/log';
import { putQueueBack } from '../queue/index.ts';
import { type UpdateJournal, writeJournal } from './journal.ts';
import { putBack } from './swap.ts';

/** The old program takes its place again, and the queue its form. Nobody may have the queue open. Can be done again. */
export async function putBackAll(dataDir: string, journal: UpdateJournal, log: Logger): Promise<void> {
  const { orderId, from, to } = journal;
  log.error({ orderId, from, to }, 'the new version did not connect to the box; the one before is put back');
  await writeJournal(dataDir, { ...journal, isBack: true });
  await putQueueBack(dataDir);
  await putBack(journal);
}
