import type { Logger } from '@sitewarden/kit/log';
import type { AgentQueue } from '../queue/index.ts';
import { refusedKind, type SessionEnd } from './session-end.ts';

/** What was under way when a session ended, oldest first. */
export interface UnderWay {
  readonly unacked: readonly number[];
  /** Positions of receipts. */
  readonly undelivered: readonly number[];
  readonly madeProgress: boolean;
}

export interface PoisonWatch {
  /** Reports, and receipts, the next session may have under way. */
  readonly window: number;
  readonly receiptWindow: number;
  note(end: SessionEnd, underWay: UnderWay): void;
}

/** Enough to keep a fast link busy, little enough that resending after a cut costs nothing. */
const FULL_WINDOW = 32;
/** Small, and known to have arrived only at the next heartbeat. */
const FULL_RECEIPT_WINDOW = 512;
/** A refusal may come from a bug that a restart of the appliance cures; the third of the same message does not. */
const MAX_REFUSALS = 3;

/**
 * A message that the appliance refuses would be sent again for ever and hold up everything behind it. After a refusal one
 * at a time is sent, so that the guilty one is known; refused three times, it is set aside, counted and logged. A refusal
 * counts only against the kind of message it names.
 */
export function createPoisonWatch(queue: Pick<AgentQueue, 'reports' | 'orders'>, log: Logger): PoisonWatch {
  const reports = createSuspicion(FULL_WINDOW, (seq) => {
    queue.reports.discard(seq);
    log.error({ seq }, 'the appliance refuses this report; it was dropped and counted');
  });
  const receipts = createSuspicion(FULL_RECEIPT_WINDOW, (position) => {
    queue.orders.setAside(position);
    log.error({ position }, 'the appliance refuses this receipt; it was set aside');
  });
  return {
    get window() {
      return reports.window;
    },
    get receiptWindow() {
      return receipts.window;
    },
    note(end, { unacked, undelivered, madeProgress }) {
      const kind = refusedKind(end);
      if (kind === 'report') reports.refused(unacked[0]);
      else if (kind === 'receipt') receipts.refused(undelivered[0]);
      else if (madeProgress && end.kind !== 'refused') {
        reports.clear();
        receipts.clear();
      }
    },
  };
}

function createSuspicion(full: number, setAside: (id: number) => void) {
  let suspect: number | undefined;
  let refusals = 0;
  let window = full;
  return {
    get window() {
      return window;
    },
    clear() {
      window = full;
    },
    refused(first: number | undefined) {
      const wasAlone = window === 1;
      window = 1;
      if (!wasAlone || first === undefined) return;
      refusals = first === suspect ? refusals + 1 : 1;
      suspect = first;
      if (refusals < MAX_REFUSALS) return;
      setAside(first);
      suspect = undefined;
      refusals = 0;
      window = full;
    },
  };
}
