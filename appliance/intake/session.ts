import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { SessionRequest, SessionResponse } from '@sitewarden/agent-proto/agent';
import { encodeFacts } from '@sitewarden/agent-proto/agent';
import { minTierOf } from '@sitewarden/agent-proto/checks';
import { applianceErrors } from '../errors.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { agentOrders, agents, state as siteState } from '../store/index.ts';
import { agentConfigOf } from './agent-config.ts';
import { toServiceError } from './grpc-error.ts';
import type { AgentStream, Journal, StreamWatcher } from './journal.ts';
import { assertReadable, type SessionMessage, type Unreadable } from './messages.ts';
import type { Presence } from './presence.ts';
import type { Receipts } from './receipts.ts';
import { costOf, LEAST_WAIT_MS, pay, type TokenBucket } from './token-bucket.ts';
import {
  type UnknownParts,
  validateHeartbeat,
  validateHost,
  validateReceipt,
  validateReport,
} from './validate-message.ts';

const HELLO_TIMEOUT_MS = 10_000;
/** Reports of one session that may wait for their commit; beyond that its socket is not read. */
const MAX_UNCOMMITTED = 1024;

type ReadMessage = Exclude<SessionMessage, Unreadable>;
export type SessionCall = ServerDuplexStream<SessionMessage, SessionResponse>;

export interface Session {
  readonly agentId: string;
  end(error: unknown): void;
  pushOrders(): void;
  pushConfig(): void;
}

export interface Patience {
  /** Between two whole messages of a session; an interval of heartbeats longer than a third of it makes it longer. */
  readonly silentMs: number;
  /** For answers that are not read; also for a unary call to be whole. */
  readonly unreadMs: number;
}

/** Heartbeats come every minute by default; two may be lost. */
export const PATIENCE: Patience = { silentMs: 180_000, unreadMs: 60_000 };

export interface SessionDeps {
  readonly ctx: ApplianceContext;
  readonly journal: Journal;
  readonly presence: Presence;
  readonly receipts: Receipts;
  /** For reports. */
  readonly bucket: TokenBucket;
  /** For all other messages: a catch-up that emptied the other one never costs a session its heartbeat. */
  readonly talkBucket: TokenBucket;
  /** The Hello was good: this session takes the place of the agent's earlier one. */
  onOpen(session: Session): void;
  onClose(session: Session): void;
  /** It was ended with CALL_STUCK: what it does not take or finish must not stay in memory. */
  onStuck(peerName: string): void;
  readonly patience: Patience;
  /** A report holds what this version does not know. */
  onUnknown(agentId: string, unknown: UnknownParts): void;
}

/** Serves one agent's stream until either side ends it. Never throws. */
export function runSession(call: SessionCall, agentId: string, deps: SessionDeps): void {
  const { ctx, journal, presence, receipts, bucket, talkBucket } = deps;
  const stream: AgentStream = journal.stream(agentId);
  let isOpen = false;
  let isWelcomed = false;
  let isEnded = false;
  let isPaused = false;
  let unreadTimer: NodeJS.Timeout | undefined;
  let silenceTimer: NodeJS.Timeout | undefined;
  let heartbeatIntervalMs = 0;
  let heardAtMs = ctx.clock.monotonicMs();

  const send = (message: NonNullable<SessionResponse['message']>): void => {
    if (isEnded || call.write({ message }) || unreadTimer !== undefined) return;
    unreadTimer = setTimeout(beStuck, deps.patience.unreadMs);
    call.once('drain', () => {
      clearTimeout(unreadTimer);
      unreadTimer = undefined;
    });
  };

  function beStuck(): void {
    if (isEnded) return;
    end(applianceErrors.make('CALL_STUCK'));
    deps.onStuck(call.getPeer());
  }

  /** By a timer that looks when it is due, so that a message costs no timer of its own. */
  function watchSilence(): void {
    const patienceMs = Math.max(deps.patience.silentMs, 3 * heartbeatIntervalMs);
    const leftMs = heardAtMs + patienceMs - ctx.clock.monotonicMs();
    // Not its fault: it is not read while it waits for the disk.
    if (leftMs > 0 || isPaused) silenceTimer = setTimeout(watchSilence, Math.max(leftMs, 1000));
    else beStuck();
  }

  const watcher: StreamWatcher = {
    onCommitted(through) {
      // The welcome says it for what came before it.
      if (isWelcomed) send({ $case: 'ack', value: { throughSeq: through } });
      if (isPaused) {
        isPaused = false;
        call.resume();
      }
    },
    onFailed: (error) => end(error),
  };

  const session: Session = {
    agentId,
    end,
    pushOrders: () => sendOrders(agentOrders.queuedFor(ctx.db, agentId, ctx.clock.nowMs())),
    pushConfig: () => send({ $case: 'config', value: currentConfig() }),
  };

  function sendOrders(orders: readonly agentOrders.AgentOrderRecord[]): void {
    const atMs = ctx.clock.nowMs();
    const tier = currentTier();
    let isAnyRefused = false;
    for (const { id: orderId, action, params, state, expiresAtMs, requestedBy } of orders) {
      // One that has run out is left to its owner's bookkeeping; it is never sent.
      if (expiresAtMs <= atMs) continue;
      // The tier was perhaps lowered since. What was sent before is the agent's to answer: it may have done it.
      if (state === 'queued' && tier < minTierOf(action)) {
        agentOrders.move(ctx.db, { id: orderId, state: 'refused', code: 'TIER_TOO_LOW', atMs });
        isAnyRefused = true;
        continue;
      }
      agentOrders.deliver(ctx.db, { id: orderId, atMs });
      send({ $case: 'order', value: { orderId, action, params: encodeFacts(params), expiresAtMs, requestedBy } });
    }
    if (isAnyRefused) ctx.signals.emit('agentOrder', { agentId });
  }

  const currentTier = () => agents.byId(ctx.db, agentId)?.tier ?? 0;
  const currentConfig = () => {
    const config = agentConfigOf(siteState.siteConfig(ctx.db), currentTier());
    heartbeatIntervalMs = config.heartbeatIntervalMs;
    return config;
  };

  function close(): void {
    if (isEnded) return;
    isEnded = true;
    for (const timer of [helloTimer, unreadTimer, silenceTimer]) clearTimeout(timer);
    stream.watchers.delete(watcher);
    if (isOpen) deps.onClose(session);
  }

  function end(error: unknown): void {
    if (isEnded) return;
    close();
    const serviceError = toServiceError(error);
    ctx.metrics.intakeRefusals.inc({ code: serviceError.name ?? 'INTERNAL' });
    call.emit('error', serviceError);
    // What the agent still sends is read and dropped, so that the status gets through.
    call.resume();
  }

  const charge = (from: TokenBucket, cost: number): void =>
    pay(from, { nowMs: ctx.clock.monotonicMs(), cost, leastMs: LEAST_WAIT_MS });

  function onReport({ report, body }: Extract<SessionMessage, { kind: 'report' }>['message']): void {
    charge(bucket, costOf(body));
    const unknown = validateReport(report);
    if (unknown !== undefined) deps.onUnknown(agentId, unknown);
    if (journal.offer(stream, { report, body }) === 'duplicate') {
      if (report.seq <= stream.committedThrough) watcher.onCommitted(stream.committedThrough);
      return;
    }
    if (stream.acceptedThrough - stream.committedThrough >= MAX_UNCOMMITTED) {
      isPaused = true;
      call.pause();
    }
  }

  function onHello(hello: Extract<NonNullable<SessionRequest['message']>, { $case: 'hello' }>['value']): void {
    const host = validateHost(hello.host);
    clearTimeout(helloTimer);
    isOpen = true;
    deps.onOpen(session);
    stream.watchers.add(watcher);
    presence.connected(agentId, host, (error) => {
      if (error !== undefined) end(error);
      else if (!isEnded) welcome();
    });
  }

  function welcome(): void {
    isWelcomed = true;
    send({
      $case: 'welcome',
      value: {
        agentId,
        ackedThrough: stream.committedThrough,
        config: currentConfig(),
        nowMs: ctx.clock.nowMs(),
      },
    });
    watchSilence();
    sendOrders(agentOrders.unansweredFor(ctx.db, agentId, ctx.clock.nowMs()));
  }

  function onOther({ message }: SessionRequest): void {
    charge(talkBucket, 1);
    if (message === undefined)
      throw applianceErrors.make('MESSAGE_INVALID', { field: 'message', detail: 'It is empty' });
    if (message.$case === 'hello' ? isOpen : !isOpen) throw applianceErrors.make('HELLO_NEEDED');
    switch (message.$case) {
      case 'hello':
        onHello(message.value);
        return;
      case 'heartbeat':
        validateHeartbeat(message.value);
        presence.heartbeat(agentId, message.value);
        send({ $case: 'heartbeatAck', value: { receivedAtMs: ctx.clock.nowMs() } });
        return;
      case 'orderReceipt':
        validateReceipt(message.value);
        receipts.file(agentId, message.value);
        return;
      default:
        return;
    }
  }

  const helloTimer = setTimeout(() => end(applianceErrors.make('HELLO_NEEDED')), HELLO_TIMEOUT_MS);
  call.on('data', (message: SessionMessage) => {
    if (isEnded) return;
    heardAtMs = ctx.clock.monotonicMs();
    try {
      assertReadable<ReadMessage>(message);
      if (message.kind === 'other') onOther(message.message);
      else if (isOpen) onReport(message.message);
      else throw applianceErrors.make('HELLO_NEEDED');
    } catch (error) {
      end(error);
    }
  });
  // Half-closed by the agent: what it sent is committed, then the stream ends well.
  call.on('end', () => {
    if (isEnded) return;
    if (stream.acceptedThrough === stream.committedThrough) finish();
    else {
      const waiter: StreamWatcher = {
        onCommitted: () => {
          if (stream.acceptedThrough !== stream.committedThrough) return;
          stream.watchers.delete(waiter);
          finish();
        },
        onFailed: () => stream.watchers.delete(waiter),
      };
      stream.watchers.add(waiter);
    }
  });
  call.on('cancelled', close);
  call.on('close', close);
  call.on('error', close);

  function finish(): void {
    close();
    call.end();
  }
}
