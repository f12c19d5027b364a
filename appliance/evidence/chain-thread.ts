import { Worker } from 'node:worker_threads';
import type { EvidenceKey } from '../identity/index.ts';
import type { ChainPlace, SignedEntry } from './chain.ts';
import type { ChainDone, ChainJob, ChainWorkerData } from './chain-worker.ts';
import type { EntryPieces } from './entry-text.ts';

/** Ten megabytes are given back when nothing was signed for so long. */
const IDLE_MS = 10_000;

export interface ChainThread {
  /** Without a place: after the job given before, which need not be done yet. */
  sign(place: ChainPlace | undefined, pieces: readonly EntryPieces[]): Promise<readonly SignedEntry[]>;
  close(): Promise<void>;
}

interface Waiter {
  resolve(entries: readonly SignedEntry[]): void;
  reject(error: Error): void;
}

/** Signs on the other core when much is waiting. Started at the first job, ended when idle. */
export function createChainThread(evk: Pick<EvidenceKey, 'forThread'>): ChainThread {
  const waiters = new Map<number, Waiter>();
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let lastId = 0;

  function onDone(done: ChainDone): void {
    const waiter = waiters.get(done.id);
    waiters.delete(done.id);
    if ('error' in done) waiter?.reject(new Error(done.error));
    else waiter?.resolve(done.entries);
    if (waiters.size > 0) return;
    worker?.unref();
    idle = setTimeout(() => void close(), IDLE_MS).unref();
  }

  function onEnd(error: Error): void {
    worker = undefined;
    for (const waiter of waiters.values()) waiter.reject(error);
    waiters.clear();
  }

  function running(): Worker {
    if (worker !== undefined) return worker;
    const started = new Worker(new URL('./chain-worker.ts', import.meta.url), {
      workerData: { key: evk.forThread() } satisfies ChainWorkerData,
      execArgv: [],
    });
    started.on('message', onDone);
    started.on('error', onEnd);
    started.on('exit', () => {
      if (worker === started) onEnd(new Error('the signing thread ended'));
    });
    worker = started;
    return started;
  }

  async function close(): Promise<void> {
    clearTimeout(idle);
    const ending = worker;
    worker = undefined;
    await ending?.terminate();
  }

  return {
    sign(place, pieces) {
      clearTimeout(idle);
      lastId += 1;
      const job: ChainJob = { id: lastId, place, pieces };
      return new Promise((resolve, reject) => {
        const to = running();
        waiters.set(job.id, { resolve, reject });
        to.ref();
        to.postMessage(job);
      });
    },
    async close() {
      await close();
      onEnd(new Error('the signing thread was ended'));
    },
  };
}
