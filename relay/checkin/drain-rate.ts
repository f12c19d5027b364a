/** Rows a second one relay takes in without its check-ins becoming slow; the ingest benchmark stands above it. */
const CAPACITY_ROWS_PER_S = 6000;
const MIN_ROWS_PER_S = 20;
/** More than one box can make of its disk and line. */
const MAX_ROWS_PER_S = 2000;
/** Two check-ins: a box that drains is counted until it says that its queue is empty, or falls silent. */
const WINDOW_MS = 120_000;
/** Fewer rows than this are ordinary traffic. */
const BACKLOG_ROWS = 500;

export interface DrainShare {
  /** Notes what a box reported and answers what it may send. */
  rateFor(applianceId: string, queueDepth: number, nowMs: number): number;
}

/** Shares the capacity among the boxes that have a backlog, so that the end of an outage is no herd. */
export function createDrainShare(): DrainShare {
  let current = new Set<string>();
  let previous = new Set<string>();
  let turnedAtMs = 0;
  return {
    rateFor(applianceId, queueDepth, nowMs) {
      if (Math.abs(nowMs - turnedAtMs) >= WINDOW_MS / 2) {
        previous = current;
        current = new Set();
        turnedAtMs = nowMs;
      }
      if (queueDepth >= BACKLOG_ROWS) {
        current.add(applianceId);
      } else {
        current.delete(applianceId);
        previous.delete(applianceId);
      }
      const draining = Math.max(current.size, previous.size);
      const share = Math.floor(CAPACITY_ROWS_PER_S / Math.max(1, draining));
      return Math.min(MAX_ROWS_PER_S, Math.max(MIN_ROWS_PER_S, share));
    },
  };
}
