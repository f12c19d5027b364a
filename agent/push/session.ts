import type {
  AgentConfig,
  AgentServiceClient,
  Facts,
  HostInfo,
  Order,
  SessionRequest,
  SessionResponse,
} from '@sitewarden/agent-proto/agent';
import { nextDelayMs, type RetrySchedule } from '@sitewarden/kit/backoff';
import { isNoRoom } from '@sitewarden/kit/errors';
import type { Logger } from '@sitewarden/kit/log';
import { bootId, type Clock } from '@sitewarden/kit/time';
import type { AgentQueue, StoreHealth } from '../queue/index.ts';
import { createHeartbeat } from './heartbeat.ts';
import { createReceiptSender } from './receipt-sender.ts';
import { createReportSender } from './report-sender.ts';
import { classifyEnd, type SessionEnd } from './session-end.ts';

export interface SessionHandlers {
  /** After the queue was anchored and the configuration applied. */
  onWelcome(): void;
  onConfig(config: AgentConfig): void;
  /** `clockOffsetMs`: the appliance's clock minus ours, as far as it is known. */
  onOrder(order: Order, clockOffsetMs: number): void;
}

export interface SessionOptions extends SessionHandlers {
  readonly client: AgentServiceClient;
  readonly queue: AgentQueue;
  readonly host: HostInfo;
  heartbeatIntervalMs(): number;
  measure(): Promise<Facts>;
  ownFacts(): Facts;
  /** Reports under way at most. */
  readonly window: number;
  /** Receipts under way at most. */
  readonly receiptWindow: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly health?: StoreHealth;
  readonly random?: () => number;
  /** Ends the session in good order. */
  readonly signal: AbortSignal;
  /** Default 15000. */
  readonly welcomeTimeoutMs?: number;
}

export interface SessionResult {
  readonly end: SessionEnd;
  readonly wasWelcomed: boolean;
  /** The appliance acknowledged something new: the connection is worth its cost. */
  readonly madeProgress: boolean;
  /** Reports, and positions of receipts, under way when it ended, oldest first. */
  readonly unacked: readonly number[];
  readonly undelivered: readonly number[];
}

const WELCOME_TIMEOUT_MS = 15_000;
/** After our side is closed the appliance has this long to close its own. */
const CLOSE_TIMEOUT_MS = 1_000;
/** How often a full disk is asked for room. */
const ROOM_RETRY: RetrySchedule = { baseMs: 1_000, capMs: 30_000 };

/** One Session stream from Hello to its end. Never throws. */
export function runSession(options: SessionOptions): Promise<SessionResult> {
  const { client, queue, host, clock, log, health, signal, random = Math.random } = options;
  return new Promise((resolve) => {
    const call = client.session();
    let wasWelcomed = false;
    let isDone = false;
    let isPaused = false;
    let isClosing = false;
    let clockOffsetMs = 0;
    /** Set when we end it ourselves; the status of the call then only says CANCELLED. */
    let ownEnd: SessionEnd | undefined;
    /** What the full disk refused first; while it waits the session is for heartbeats, and for orders that can be noted. */
    let waiting: (() => void) | undefined;
    let roomTimer: NodeJS.Timeout | undefined;
    let roomAttempt = 0;

    const send = (message: NonNullable<SessionRequest['message']>) => {
      if (!isDone && !isClosing && !call.write({ message })) isPaused = true;
    };
    const reports = createReportSender({
      queue: queue.reports,
      window: options.window,
      canSend: () => wasWelcomed && waiting === undefined && !isPaused && !isClosing && !isDone,
      send: (value) => send({ $case: 'report', value }),
      setAside(seq) {
        queue.reports.discard(seq);
        log.error({ seq }, 'a report is larger than the appliance takes; it was dropped and counted');
      },
      guarded,
    });
    const receipts = createReceiptSender(queue.orders, {
      window: options.receiptWindow,
      send: (value) => send({ $case: 'orderReceipt', value }),
    });
    const pulse = createHeartbeat({
      intervalMs: options.heartbeatIntervalMs,
      measure: options.measure,
      ownFacts: options.ownFacts,
      clock,
      queueDepth: () => queue.reports.depth,
      send: (value) => {
        receipts.markHeartbeat();
        send({ $case: 'heartbeat', value });
      },
      onSilence: () => cutOff({ kind: 'lost', detail: 'no answer to heartbeats' }),
      onFault(error) {
        log.error({ err: error }, 'session ended by a heartbeat that could not be made');
        cutOff({ kind: 'lost', detail: 'a fault of this side' });
      },
    });

    const stopListening = [
      queue.reports.onEnqueued(() => guarded(() => reports.pump())),
      queue.orders.onReceipt(() => guarded(() => wasWelcomed && receipts.pump())),
    ];
    let closeTimer: NodeJS.Timeout | undefined;
    const welcomeTimer = setTimeout(
      () => cutOff({ kind: 'lost', detail: 'no Welcome' }),
      options.welcomeTimeoutMs ?? WELCOME_TIMEOUT_MS,
    );
    const onAbort = () => {
      ownEnd ??= { kind: 'closed' };
      isClosing = true;
      pulse.stop();
      if (!wasWelcomed) {
        call.cancel();
        return;
      }
      call.end();
      closeTimer = setTimeout(() => call.cancel(), CLOSE_TIMEOUT_MS);
    };

    function cutOff(end: SessionEnd): void {
      ownEnd ??= end;
      call.cancel();
    }

    /**
     * Faults of our own disk end the session, not the process: the next one begins from what is on disk. A full disk does not
     * even end the session, for staff must see the workstation to help it.
     */
    function guarded(step: () => void): void {
      if (isDone) return;
      try {
        step();
      } catch (error) {
        if (isNoRoom(error)) {
          waitForRoom(step, error);
          return;
        }
        log.error({ err: error }, 'session ended by a fault of this side');
        cutOff({ kind: 'lost', detail: 'a fault of this side' });
      }
    }

    function waitForRoom(step: () => void, error: unknown): void {
      if (waiting !== undefined) return;
      waiting = step;
      health?.failed(error);
      if (roomAttempt === 0) log.error({ err: error }, 'the disk is full; nothing is stored until there is room');
      roomTimer = setTimeout(tryForRoom, nextDelayMs({ ...ROOM_RETRY, attempt: roomAttempt, random }));
      roomAttempt += 1;
    }

    /** With room again the next session begins from what is on disk, and gets what this one had to let pass. */
    function tryForRoom(): void {
      const step = waiting!;
      waiting = undefined;
      guarded(step);
      if (waiting !== undefined || ownEnd !== undefined || isDone) return;
      health?.worked();
      log.info('there is room on the disk again');
      // With the pause of a lost one: a disk that is full again at once must not make sessions come and go.
      cutOff({ kind: 'lost', detail: 'begins anew, for the disk has room again' });
    }

    function finish(end: SessionEnd): void {
      if (isDone) return;
      isDone = true;
      clearTimeout(roomTimer);
      clearTimeout(welcomeTimer);
      clearTimeout(closeTimer);
      pulse.stop();
      try {
        reports.settle();
      } catch (error) {
        // What was acknowledged stays in the queue and comes twice.
        log.error({ err: error }, 'acknowledged reports could not be deleted');
      }
      for (const stop of stopListening) stop();
      signal.removeEventListener('abort', onAbort);
      const madeProgress = reports.acknowledged > 0;
      resolve({
        end: ownEnd ?? end,
        wasWelcomed,
        madeProgress,
        unacked: [...reports.unacked],
        undelivered: [...receipts.undelivered],
      });
    }

    function anchor(ackedThrough: number): void {
      const lastSeq = queue.reports.lastSeq;
      const state = queue.reports.anchor(ackedThrough);
      if (state === 'queue_was_lost') log.warn({ lastSeq, ackedThrough }, 'the queue was lost; numbers go on');
      if (state === 'appliance_was_set_back') {
        log.error({ lastSeq, ackedThrough }, 'the appliance lost reports it had acknowledged; they were counted');
      }
    }

    const takeConfig = (config: AgentConfig) => guarded(() => options.onConfig(config));

    function receive({ message }: SessionResponse): void {
      if (message === undefined) return;
      if (message.$case !== 'welcome' && !wasWelcomed) {
        cutOff({ kind: 'lost', detail: `${message.$case} before Welcome` });
        return;
      }
      switch (message.$case) {
        case 'welcome':
          clearTimeout(welcomeTimer);
          // Orders that wait come right behind, before any heartbeat is answered.
          if (message.value.nowMs > 0) clockOffsetMs = message.value.nowMs - clock.nowMs();
          guarded(() => anchor(message.value.ackedThrough));
          if (message.value.config !== undefined) takeConfig(message.value.config);
          if (ownEnd !== undefined) return;
          wasWelcomed = true;
          pulse.start();
          receipts.pump();
          guarded(() => reports.pump());
          options.onWelcome();
          break;
        case 'ack':
          reports.acknowledge(message.value.throughSeq);
          reports.pump();
          break;
        case 'order':
          options.onOrder(message.value, clockOffsetMs);
          break;
        case 'config':
          takeConfig(message.value);
          pulse.reschedule();
          break;
        case 'heartbeatAck':
          clockOffsetMs = message.value.receivedAtMs - clock.nowMs();
          pulse.answered();
          receipts.heartbeatAnswered();
          break;
      }
    }

    call.on('data', (response: SessionResponse) => guarded(() => receive(response)));
    call.on('drain', () => {
      isPaused = false;
      guarded(() => reports.pump());
    });
    // The status says it all; without a listener the same error would end the process.
    call.on('error', () => {});
    call.on('end', () => call.end());
    call.on('status', (status) => finish(classifyEnd(status)));
    send({ $case: 'hello', value: { host, lastSeq: queue.reports.lastSeq, bootId: bootId() } });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
