import type { PushReportResponse } from '@sitewarden/agent-proto/agent';
import type { Journal, StreamWatcher } from './journal.ts';
import type { ReportMessage } from './messages.ts';

/** Resolves once the report is on disk, also when an earlier call brought it. Rejects as `Journal.offer` throws. */
export async function pushReport(
  journal: Journal,
  agentId: string,
  message: ReportMessage,
): Promise<PushReportResponse> {
  const stream = journal.stream(agentId);
  journal.offer(stream, message);
  const { seq } = message.report;
  if (stream.committedThrough < seq) {
    await new Promise<void>((resolve, reject) => {
      const watcher: StreamWatcher = {
        onCommitted(through) {
          if (through < seq) return;
          stream.watchers.delete(watcher);
          resolve();
        },
        onFailed(error) {
          stream.watchers.delete(watcher);
          reject(error);
        },
      };
      stream.watchers.add(watcher);
    });
  }
  return { throughSeq: stream.committedThrough };
}
