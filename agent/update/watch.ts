import type { Facts } from '@sitewarden/agent-proto/agent';
import type { Logger } from '@sitewarden/kit/log';
import { type AgentErrorCode, agentErrors } from '../errors.ts';
import { dropKeptQueue, keepQueue } from '../queue/index.ts';
import { removeParts } from './download.ts';
import { readJournal, removeJournal, type UpdateJournal, writeJournal } from './journal.ts';
import { putBackAll } from './put-back.ts';

export interface WatchOptions {
  readonly dataDir: string;
  readonly version: string;
  readonly migrations: number;
  /** So long a new program has until it is connected. */
  readonly connectWithinMs: number;
  readonly log: Logger;
}

/** How the order of an update ended. */
export interface UpdateEnd {
  readonly orderId: string;
  readonly failure?: { readonly code: AgentErrorCode; readonly detail: string };
  readonly before: Facts;
  readonly after: Facts;
}

export interface UpdateWatch {
  /** The order this program still has to answer for by connecting. */
  readonly pendingOrderId: string | undefined;
  /** The old program has to be put back at once, by `rollBack`: this one was started often enough without connecting. */
  readonly isExhausted: boolean;
  /** What the program before this one left to be said; once the queue is open. `forget` when it is on disk. */
  readonly left: UpdateEnd | undefined;
  /** The order is answered for. */
  forget(): Promise<void>;
  /** Resolves when the time to connect is over; never, when there is nothing to prove or `connected` came first. */
  readonly tooLate: Promise<void>;
  /** The first Welcome proves the new program: its end, once. */
  connected(): UpdateEnd | undefined;
  /** Puts the old program back, and the queue in its form. Nobody may have the queue open. */
  rollBack(): Promise<void>;
  stop(): void;
}

/** A machine that is switched off and on while the box is away must not look like a program that crashes. */
const MAX_STARTS = 5;

/**
 * What a start has to know of an update: before anything that the new program might fail at. The caller holds the lock of
 * the data folder.
 */
export async function watchUpdate(options: WatchOptions): Promise<UpdateWatch> {
  const { dataDir, version, log } = options;
  const journal = await readJournal(dataDir);
  const isNew = journal !== undefined && journal.to === version;
  const isExhausted = isNew && (journal.isBack || journal.starts >= MAX_STARTS);
  const isPending = isNew && !isExhausted;
  if (isPending) {
    await writeJournal(dataDir, { ...journal, starts: journal.starts + 1 });
    if (journal.migrations !== options.migrations) await keepQueue(dataDir);
    log.info({ orderId: journal.orderId, from: journal.from, start: journal.starts + 1 }, 'runs as the new version');
  }
  let hasConnected = false;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<void>((resolve) => {
    if (isPending) timer = setTimeout(resolve, options.connectWithinMs);
  });

  return {
    pendingOrderId: isPending ? journal.orderId : undefined,
    isExhausted,
    left: journal === undefined || isNew ? undefined : endOfOld(journal, version),
    tooLate,
    async forget() {
      if (journal === undefined) return;
      await removeJournal(dataDir);
      dropKeptQueue(dataDir);
      await removeParts(journal.program).catch((error: unknown) => log.warn({ err: error }, 'a part was not removed'));
    },
    connected() {
      clearTimeout(timer);
      if (!isPending || hasConnected) return undefined;
      hasConnected = true;
      return { orderId: journal.orderId, before: { agent_version: journal.from }, after: { agent_version: version } };
    },
    async rollBack() {
      if (journal !== undefined) await putBackAll(dataDir, journal, log);
    },
    stop: () => clearTimeout(timer),
  };
}

/** This program is the old one, or one that a person installed meanwhile. */
function endOfOld(journal: UpdateJournal, version: string): UpdateEnd {
  const code = journal.isBack ? 'UPDATE_ROLLED_BACK' : 'UPDATE_STOPPED';
  const { message } = agentErrors.make(code, { detail: `${journal.to} was to follow ${journal.from}` });
  return {
    orderId: journal.orderId,
    failure: { code, detail: message },
    before: { agent_version: journal.from },
    after: { agent_version: version },
  };
}
