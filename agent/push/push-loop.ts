import { setTimeout as delay } from 'node:timers/promises';
import type { Facts, HostInfo } from '@sitewarden/agent-proto/agent';
import { nextDelayMs, type RetrySchedule } from '@sitewarden/kit/backoff';
import type { Logger } from '@sitewarden/kit/log';
import type { Clock } from '@sitewarden/kit/time';
import { agentErrors } from '../errors.ts';
import type { AgentIdentity } from '../identity/index.ts';
import type { AgentQueue, StoreHealth } from '../queue/index.ts';
import { createPoisonWatch } from './poison-watch.ts';
import { createRenewal } from './renewal.ts';
import { runSession, type SessionHandlers } from './session.ts';
import type { SessionEnd } from './session-end.ts';

export interface PushOptions extends SessionHandlers {
  readonly address: string;
  readonly identity: AgentIdentity;
  readonly queue: AgentQueue;
  readonly host: HostInfo;
  heartbeatIntervalMs(): number;
  measure(): Promise<Facts>;
  /** What the agent says of itself beside it. */
  ownFacts(): Facts;
  /** Told of every change, for `status`. */
  onConnection(state: ConnectionState): void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly health?: StoreHealth;
  readonly signal: AbortSignal;
  readonly random?: () => number;
}

export interface ConnectionState {
  readonly connected: boolean;
  /** Why not, in one word; empty while connected. */
  readonly reason: string;
}

/** An appliance that comes back after an outage must not meet all its agents in the same second. */
export const PUSH_RETRY: RetrySchedule = { baseMs: 1_000, capMs: 60_000 };
/** A session this long counts as a success even if nothing had to be sent. */
const SETTLED_MS = 30_000;

/** Keeps a session up until `signal` fires ('stopped') or the appliance removes the agent ('removed'). */
export async function runPush(options: PushOptions): Promise<'stopped' | 'removed'> {
  const { identity, address, queue, clock, log, signal, random = Math.random } = options;
  const poison = createPoisonWatch(queue, log);
  const renewal = createRenewal({ identity, address, clock, log, random });
  let attempt = 0;
  while (!signal.aborted) {
    if ((await renewal.renewIfDue()) === 'removed') return 'removed';
    const beganMs = clock.monotonicMs();
    const { end, wasWelcomed, madeProgress, unacked, undelivered } = await oneSession();
    renewal.disarm();
    if (wasWelcomed && (madeProgress || clock.monotonicMs() - beganMs >= SETTLED_MS)) attempt = 0;
    poison.note(end, { unacked, undelivered, madeProgress });
    options.onConnection({ connected: false, reason: end.kind });
    if (end.kind === 'removed') return 'removed';
    if (signal.aborted) break;
    if (end.kind === 'closed') continue;
    const waitMs = nextDelayMs({ ...PUSH_RETRY, attempt, random, floorMs: end.kind === 'exhausted' ? end.floorMs : 0 });
    attempt++;
    tell(log, end, waitMs);
    await delay(waitMs, undefined, { signal }).catch(() => {});
  }
  return 'stopped';

  async function oneSession() {
    const client = identity.connect(address);
    const ended = renewal.arm(signal);
    try {
      return await runSession({
        ...options,
        client,
        window: poison.window,
        receiptWindow: poison.receiptWindow,
        signal: ended,
        onWelcome() {
          log.info({ appliance: address, waiting: queue.reports.depth }, 'connected to the appliance');
          options.onConnection({ connected: true, reason: '' });
          options.onWelcome();
        },
      });
    } finally {
      client.close();
    }
  }
}

function tell(log: Logger, end: SessionEnd, waitMs: number): void {
  const detail = 'detail' in end ? end.detail : end.kind;
  if (end.kind === 'unauthenticated') {
    const { message } = agentErrors.make('CERTIFICATE_REFUSED');
    log.error({ code: 'CERTIFICATE_REFUSED', nextTryMs: waitMs }, message);
    return;
  }
  const refusal = end.kind === 'refused' ? { code: end.code, field: end.field } : {};
  log.warn(
    { reason: detail, ...refusal, nextTryMs: waitMs },
    'no session with the appliance; reports wait in the queue',
  );
}
