import type { Logger } from '@sitewarden/kit/log';
import type { ReportQueue } from '../queue/index.ts';
import type { SessionEnd } from './session-end.ts';

export interface PoisonWatch {
  /** Reports the next session may have under way. */
  readonly window: number;
  note(end: SessionEnd, session: { unacked: readonly number[]; madeProgress: boolean }): void;
}

/** Enough to keep a fast link busy, little enough that resending after a cut costs nothing. */
const FULL_WINDOW = 32;
/** A refusal may come from a bug that a restart of the appliance cures; the third of the same report does not. */
const MAX_REFUSALS = 3;

/**
 * A report that the appliance refuses would be sent again for ever and hold up everything behind it. After a refusal one
 * report at a time is sent, so that the guilty one is known; refused three times, it is dropped and counted.
 */
export function createPoisonWatch(queue: ReportQueue, log: Logger): PoisonWatch {
  let suspect: number | undefined;
  let refusals = 0;
  let window = FULL_WINDOW;
  return {
    get window() {
      return window;
    },
    note(end, { unacked, madeProgress }) {
      if (end.kind !== 'refused') {
        if (madeProgress) window = FULL_WINDOW;
        return;
      }
      const wasAlone = window === 1;
      window = 1;
      const [first] = unacked;
      if (!wasAlone || first === undefined) return;
      refusals = first === suspect ? refusals + 1 : 1;
      suspect = first;
      if (refusals < MAX_REFUSALS) return;
      queue.discard(first);
      suspect = undefined;
      refusals = 0;
      window = FULL_WINDOW;
      log.error({ seq: first }, 'the appliance refuses this report; it was dropped and counted');
    },
  };
}
