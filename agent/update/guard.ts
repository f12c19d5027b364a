import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { acquireLock } from '@sitewarden/kit/files';
import type { Logger } from '@sitewarden/kit/log';
import { readJournal, type UpdateJournal } from './journal.ts';
import { putBackAll } from './put-back.ts';

export interface GuardOptions {
  readonly dataDir: string;
  readonly lockFile: string;
  /** As this process was started: the new program gets the same. */
  readonly args: readonly string[];
  readonly connectWithinMs: number;
  readonly log: Logger;
}

/** Ends the new program's `run` when its input ends, which it does when whoever guards it is gone. */
export const GUARDED_FLAG = '--guarded';

const LOOK_EVERY_MS = 200;
const END_WITHIN_MS = 10_000;
/** Beyond the time the new one gives itself, so that it says itself why it did not connect. */
const GRACE_MS = 10_000;

/**
 * The old program's last work, once it holds nothing any more: it runs the new one until that has answered for the order,
 * and puts itself back when that does not come about, whatever is wrong with the new one. Then both end, and the service
 * manager starts what lies in place. Killed in the middle, the new one ends too, is started by the service manager, and
 * judges itself.
 */
export async function guardUpdate({ dataDir, lockFile, args, connectWithinMs, log }: GuardOptions): Promise<void> {
  const journal = await readJournal(dataDir);
  if (journal === undefined) return;
  const child = spawn(journal.program, [...args, GUARDED_FLAG], { stdio: ['pipe', 'inherit', 'inherit'] });
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      hasEnded = true;
      resolve();
    };
    child.once('error', (error) => {
      log.error({ err: error }, 'the new agent cannot be started');
      end();
    });
    child.once('exit', (exitCode, signal) => {
      log.info({ exitCode, signal }, 'the new agent ended its first run');
      end();
    });
  });
  child.stdin?.on('error', () => {});
  const endMs = performance.now() + connectWithinMs + GRACE_MS;
  let isGood = await isAnswered(dataDir, journal);
  while (!isGood && !hasEnded && performance.now() < endMs) {
    await Promise.race([delay(LOOK_EVERY_MS), ended]);
    isGood = await isAnswered(dataDir, journal);
  }
  child.stdin?.end();
  await Promise.race([delay(END_WITHIN_MS, undefined, { ref: false }), ended]);
  if (!hasEnded) child.kill('SIGKILL');
  await Promise.race([delay(END_WITHIN_MS, undefined, { ref: false }), ended]);
  if (isGood || (await isAnswered(dataDir, journal))) return;
  const lock = acquireLock(join(dataDir, lockFile));
  try {
    await putBackAll(dataDir, (await readJournal(dataDir)) ?? journal, log);
  } finally {
    lock.release();
  }
}

const isAnswered = async (dataDir: string, { orderId }: UpdateJournal): Promise<boolean> =>
  (await readJournal(dataDir))?.orderId !== orderId;
