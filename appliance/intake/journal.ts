import type { CodedError } from '@sitewarden/kit/errors';
import { GroupCommit } from '@sitewarden/kit/sqlite';
import { applianceErrors } from '../errors.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { agents, type Marks, reports } from '../store/index.ts';
import { storageError } from './grpc-error.ts';
import type { ReportMessage } from './messages.ts';

/** One sync for so many reports: on a flash card a sync costs milliseconds, and it is the same for one row or hundreds. */
const MAX_BATCH = 500;
/** Only while every turn brings more; one that comes alone is written at once. Each agent is answered once a batch. */
const MAX_DELAY_MS = 20;
const MAX_QUEUE = 20_000;

/** Where an agent's stream of reports stands. Shared by all its connections. */
export interface AgentStream {
  readonly agentId: string;
  /** On disk. */
  committedThrough: number;
  /** On disk, or in the queue to it. */
  acceptedThrough: number;
  /** Told after each commit and each failure that touched this stream. */
  readonly watchers: Set<StreamWatcher>;
}

export interface StreamWatcher {
  onCommitted(through: number): void;
  /** What was accepted beyond `committedThrough` is not stored. */
  onFailed(error: CodedError): void;
}

interface Item {
  readonly stream: AgentStream;
  readonly seq: number;
  readonly orderId: string;
  readonly body: Uint8Array;
  readonly receivedAtMs: number;
}

/** `accepted`: will be committed or fail later. `duplicate`: was accepted before. */
export type Offer = 'accepted' | 'duplicate';

export interface Journal {
  stream(agentId: string): AgentStream;
  /** Throws REPORT_GAP, INTAKE_BUSY, DISK_FULL, DISK_FAILED, STOPPING. */
  offer(stream: AgentStream, message: ReportMessage): Offer;
  /** Reports accepted and not yet on disk. */
  readonly pending: number;
  close(): void;
}

export interface JournalOptions {
  /** Told how far the journal has come, after each commit. */
  readonly marks?: Pick<Marks, 'raiseReport'> | undefined;
  readonly ctx: ApplianceContext;
  /** Throws when nothing may be taken in now. */
  assertRoom(): void;
  onFailure(error: unknown, needsReopen: boolean): void;
}

/**
 * The only way reports get on disk. Each agent's reports are stored in order without gaps, so "through seq" says it all;
 * an answer is given from `onCommitted` and nowhere else, which runs after COMMIT returned.
 */
export function createJournal({ ctx, marks, assertRoom, onFailure }: JournalOptions): Journal {
  const { db, metrics, clock } = ctx;
  const streams = new Map<string, AgentStream>();
  const queue = new GroupCommit<Item, number>({
    db,
    maxBatch: MAX_BATCH,
    maxDelayMs: MAX_DELAY_MS,
    maxQueue: MAX_QUEUE,
    commit: store,
    onError: (error, { needsReopen }) => onFailure(error, needsReopen),
  });
  let touched = new Set<AgentStream>();
  let isTelling = false;
  let lastId = 0;

  /**
   * Ids of the new rows. 0 for what does not follow on what is stored: left over from a batch that failed, and asked for
   * again by then.
   */
  function store(batch: Item[]): number[] {
    const through = new Map<AgentStream, number>();
    const stored = batch.map(({ stream, seq, ...rest }) => {
      const last = through.get(stream) ?? agents.ackedThrough(db, stream.agentId);
      const isNext = seq === last + 1;
      through.set(stream, isNext ? seq : last);
      if (!isNext) return 0;
      lastId = reports.insert(db, { source: stream.agentId, seq, ...rest });
      return lastId;
    });
    for (const [stream, seq] of through) agents.setAckedThrough(db, stream.agentId, seq);
    return stored;
  }

  /** All promises of one batch settle in one go; watchers hear of it once. */
  function committed(stream: AgentStream, seq: number): void {
    stream.committedThrough = Math.max(stream.committedThrough, seq);
    touched.add(stream);
    if (isTelling) return;
    isTelling = true;
    queueMicrotask(() => {
      isTelling = false;
      const batch = touched;
      marks?.raiseReport(lastId);
      touched = new Set();
      for (const one of batch) for (const watcher of one.watchers) watcher.onCommitted(one.committedThrough);
      ctx.signals.emit('report');
    });
  }

  function failed(stream: AgentStream, error: unknown): void {
    // The first failure of a batch resets the stream; the others of the same batch find it reset.
    if (stream.acceptedThrough === stream.committedThrough) return;
    stream.acceptedThrough = stream.committedThrough;
    const coded = storageError(error);
    for (const watcher of stream.watchers) watcher.onFailed(coded);
  }

  return {
    stream(agentId) {
      const known = streams.get(agentId);
      if (known !== undefined) return known;
      const through = agents.byId(db, agentId)?.ackedThrough ?? 0;
      const stream = {
        agentId,
        committedThrough: through,
        acceptedThrough: through,
        watchers: new Set<StreamWatcher>(),
      };
      streams.set(agentId, stream);
      return stream;
    },
    offer(stream, { report, body }) {
      const { seq } = report;
      if (seq <= stream.acceptedThrough) {
        metrics.intakeReports.inc({ result: 'duplicate' });
        return 'duplicate';
      }
      const expectedSeq = stream.acceptedThrough + 1;
      if (seq !== expectedSeq) {
        throw applianceErrors.make('REPORT_GAP', { field: 'report.seq', data: { expectedSeq } });
      }
      assertRoom();
      if (queue.size >= MAX_QUEUE) throw applianceErrors.make('INTAKE_BUSY', { data: { retryDelayMs: 500 } });
      stream.acceptedThrough = seq;
      const beganMs = clock.monotonicMs();
      const receivedAtMs = clock.nowMs();
      queue.add({ stream, seq, orderId: report.orderId, body, receivedAtMs }).then(
        (id) => {
          if (id === 0) return;
          const head = { id, source: stream.agentId, seq, receivedAtMs };
          reports.keepFresh(db, { head, report, bytes: body.length });
          metrics.intakeReports.inc({ result: 'stored' });
          metrics.intakeResults.inc(report.results.length);
          metrics.intakeCommitSeconds.observe((clock.monotonicMs() - beganMs) / 1000);
          committed(stream, seq);
        },
        (error: unknown) => failed(stream, error),
      );
      return 'accepted';
    },
    get pending() {
      return queue.size;
    },
    close: () => queue.close(),
  };
}
