import { AGENT_LIMITS, type Report } from '@sitewarden/agent-proto/agent';
import type { ReportQueue } from '../queue/index.ts';

export interface ReportSender {
  /** Sends what fits into the window; safe to call at any time. */
  pump(): void;
  /** The appliance has everything up to here on disk. The rows go a moment later, many at once. */
  acknowledge(throughSeq: number): void;
  /** Deletes what was acknowledged and is still here. */
  settle(): void;
  /** How many reports were acknowledged. */
  readonly acknowledged: number;
  /** Reports sent and not acknowledged, oldest first. */
  readonly unacked: readonly number[];
}

export interface ReportSenderOptions {
  readonly queue: ReportQueue;
  /** Reports under way at most. */
  readonly window: number;
  /** False while the connection asks for a pause; `pump` is called when it goes on. */
  canSend(): boolean;
  send(report: Report): void;
  /** Takes a report out of the queue that no appliance would take; the ones behind it move up. */
  setAside(seq: number): void;
  /** Runs a step where a fault of the disk ends the session and not the process. */
  guarded(step: () => void): void;
}

/** Deleting late does no harm: what comes twice is stored once. A sync for each Ack would slow a long queue down. */
const FORGET_DELAY_MS = 50;
/** A report can have a megabyte; so many are in memory at a time. */
const BATCH = 8;

/** Sends the queue in order. A new session begins at the first row again: what was sent and not acknowledged comes twice. */
export function createReportSender(options: ReportSenderOptions): ReportSender {
  const { queue, window, canSend, send, setAside, guarded } = options;
  const unacked: number[] = [];
  let sentThrough = 0;
  let lastSentSeq = 0;
  let ackedThrough = 0;
  let acknowledged = 0;
  let timer: NodeJS.Timeout | undefined;

  function settle(): void {
    clearTimeout(timer);
    timer = undefined;
    if (ackedThrough > 0) queue.ackThrough(ackedThrough);
    ackedThrough = 0;
  }

  return {
    get unacked() {
      return unacked;
    },
    pump() {
      while (unacked.length < window && canSend()) {
        const rows = queue.next(sentThrough, Math.min(window - unacked.length, BATCH));
        if (rows.length === 0) return;
        for (const { position, report, bytes } of rows) {
          if (bytes > AGENT_LIMITS.maxMessageBytes) {
            setAside(report.seq);
            break;
          }
          sentThrough = position;
          lastSentSeq = report.seq;
          unacked.push(report.seq);
          send(report);
        }
      }
    },
    get acknowledged() {
      return acknowledged;
    },
    acknowledge(throughSeq) {
      // Nothing is forgotten that was not sent, whatever the appliance says.
      ackedThrough = Math.max(ackedThrough, Math.min(throughSeq, lastSentSeq));
      timer ??= setTimeout(() => guarded(settle), FORGET_DELAY_MS);
      while (unacked.length > 0 && unacked[0]! <= throughSeq) {
        unacked.shift();
        acknowledged++;
      }
    },
    settle,
  };
}
