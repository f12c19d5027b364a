import type { KeyObject } from 'node:crypto';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { evidenceKeyOf } from '../identity/index.ts';
import { type ChainPlace, type SignedEntry, signChain } from './chain.ts';
import type { EntryPieces } from './entry-text.ts';

export interface ChainWorkerData {
  readonly key: KeyObject;
}

export interface ChainJob {
  readonly id: number;
  /** Undefined: after the last entry of the job before. */
  readonly place: ChainPlace | undefined;
  readonly pieces: readonly EntryPieces[];
}

export type ChainDone =
  | { readonly id: number; readonly entries: readonly SignedEntry[] }
  | { readonly id: number; readonly error: string };

/** The other thread's side: jobs come in order, and each may go on where the one before ended. */
function serve(port: MessagePort, { key }: ChainWorkerData): void {
  const evk = evidenceKeyOf(key);
  let next: ChainPlace | undefined;
  port.on('message', ({ id, place = next, pieces }: ChainJob) => {
    try {
      if (place === undefined) throw new Error('there is no place to begin at');
      const entries = signChain(evk, place, pieces);
      const last = entries.at(-1);
      next = { ...place, seq: place.seq + entries.length, prev: last?.leafHash ?? place.prev };
      port.postMessage({ id, entries } satisfies ChainDone);
    } catch (error) {
      next = undefined;
      port.postMessage({ id, error: error instanceof Error ? error.message : String(error) } satisfies ChainDone);
    }
  });
}

// Loaded in the main thread this file does nothing.
if (parentPort !== null) serve(parentPort, workerData as ChainWorkerData);
