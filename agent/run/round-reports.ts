import type { Report } from '@sitewarden/agent-proto/agent';
import type { CheckOutcome } from '../collect/index.ts';
import { buildReports } from '../report/index.ts';
import type { RmmSighting } from '../rmm/index.ts';

/** A stopped service must not wait for a slow package manager, and six quick checks need not cost six syncs. */
export const GATHER_MS = 200;

export interface RoundReports {
  /** Queued within GATHER_MS, with what else is found until then. */
  found(outcomes: readonly CheckOutcome[]): void;
  /** Goes with the next report. */
  seen(sightings: readonly RmmSighting[]): void;
  /** Nothing more will be found: what is gathered waits for `end`, so that the sightings have a report to go with. */
  hold(): void;
  /** Queues the rest. How many reports the round made. Throws what kept an earlier one from being stored. */
  end(): number;
}

/** The reports of one round. After `signal` nothing is queued: called off, a result says nothing about the workstation. */
export function createRoundReports(options: {
  readonly enqueue: (report: Omit<Report, 'seq'>) => void;
  readonly orderId: string;
  readonly signal: AbortSignal;
}): RoundReports {
  const { enqueue, orderId, signal } = options;
  let gathered: CheckOutcome[] = [];
  let rmm: readonly RmmSighting[] | undefined;
  let timer: NodeJS.Timeout | undefined;
  let queued = 0;
  let fault: { readonly error: unknown } | undefined;

  function flush(): void {
    timer = undefined;
    if (signal.aborted) return;
    const reports = buildReports({ outcomes: gathered, rmm, orderId });
    if (reports.length === 0) return;
    gathered = [];
    rmm = undefined;
    for (const report of reports) {
      enqueue(report);
      queued += 1;
    }
  }

  function flushInTime(): void {
    try {
      flush();
    } catch (error) {
      fault ??= { error };
    }
  }

  return {
    found(outcomes) {
      if (signal.aborted || outcomes.length === 0) return;
      gathered.push(...outcomes);
      timer ??= setTimeout(flushInTime, GATHER_MS);
    },
    seen(sightings) {
      rmm = sightings;
    },
    hold() {
      clearTimeout(timer);
      timer = undefined;
    },
    end() {
      flush();
      if (fault !== undefined) throw fault.error;
      return queued;
    },
  };
}
