import type { Report } from '@sitewarden/agent-proto/agent';
import type { ReportQueue } from '../queue/index.ts';

export interface ReportSender {
  /** Sends what fits into the window; safe to call at any time. */
  pump(): void;
  /** The appliance has everything up to here on disk. */
  acknowledge(throughSeq: number): void;
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
}

/** A report can have a megabyte; so many are in memory at a time. */
const BATCH = 8;

/** Sends the queue in order. A new session begins at the first row again: what was sent and not acknowledged comes twice. */
export function createReportSender({ queue, window, canSend, send }: ReportSenderOptions): ReportSender {
  const unacked: number[] = [];
  let sentThrough = 0;
  return {
    get unacked() {
      return unacked;
    },
    pump() {
      while (unacked.length < window && canSend()) {
        const rows = queue.next(sentThrough, Math.min(window - unacked.length, BATCH));
        if (rows.length === 0) return;
        for (const { position, report } of rows) {
          sentThrough = position;
          unacked.push(report.seq);
          send(report);
        }
      }
    },
    acknowledge(throughSeq) {
      queue.ackThrough(throughSeq);
      while (unacked.length > 0 && unacked[0]! <= throughSeq) unacked.shift();
    },
  };
}
