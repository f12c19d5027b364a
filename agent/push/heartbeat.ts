import { setTimeout as delay } from 'node:timers/promises';
import { encodeFacts, type Facts, type Heartbeat } from '@sitewarden/agent-proto/agent';
import type { Clock } from '@sitewarden/kit/time';

export interface HeartbeatOptions {
  intervalMs(): number;
  /** Of the host; may take long. Never throws. */
  measure(): Promise<Facts>;
  /** Of the agent's own store, which is open for as long as the pulse runs: asked at the moment of sending only. */
  ownFacts(): Facts;
  readonly clock: Clock;
  queueDepth(): number;
  send(heartbeat: Heartbeat): void;
  /** A heartbeat was not answered within two intervals. */
  onSilence(): void;
  /** A beat could not be made; the next one is due as ever. */
  onFault(error: unknown): void;
}

export interface HeartbeatPulse {
  /** The first beat comes at once. */
  start(): void;
  answered(): void;
  /** The interval changed. */
  reschedule(): void;
  stop(): void;
}

/** How many intervals a beat may stay without an answer. */
const PATIENCE_INTERVALS = 2;
const MEASURE_TIMEOUT_MS = 5_000;

export function createHeartbeat(options: HeartbeatOptions): HeartbeatPulse {
  const { intervalMs, measure, ownFacts, clock, queueDepth, send, onSilence, onFault } = options;
  let isRunning = false;
  let beatTimer: NodeJS.Timeout | undefined;
  let silenceTimer: NodeJS.Timeout | undefined;
  let pending = 0;

  async function beat(): Promise<void> {
    // A disk that hangs must not silence the agent: the beat then goes without telemetry.
    const measured = await Promise.race([measure(), delay<Facts>(MEASURE_TIMEOUT_MS, {}, { ref: false })]);
    if (!isRunning) return;
    const telemetry = { ...measured, ...ownFacts() };
    const uptimeS = typeof telemetry.uptime_s === 'number' ? telemetry.uptime_s : 0;
    send({ sentAtMs: clock.nowMs(), uptimeS, queueDepth: queueDepth(), telemetry: encodeFacts(telemetry) });
    pending++;
    // Measured from the oldest one without an answer.
    silenceTimer ??= setTimeout(onSilence, PATIENCE_INTERVALS * intervalMs());
    schedule();
  }

  /** What the agent's own store refuses must not end the process. */
  function tryBeat(): void {
    beat().catch((error: unknown) => {
      if (!isRunning) return;
      schedule();
      onFault(error);
    });
  }

  function schedule(): void {
    clearTimeout(beatTimer);
    beatTimer = setTimeout(tryBeat, intervalMs());
  }

  return {
    start() {
      isRunning = true;
      tryBeat();
    },
    answered() {
      pending = Math.max(0, pending - 1);
      clearTimeout(silenceTimer);
      silenceTimer = pending === 0 ? undefined : setTimeout(onSilence, PATIENCE_INTERVALS * intervalMs());
    },
    reschedule() {
      if (isRunning) schedule();
    },
    stop() {
      isRunning = false;
      clearTimeout(beatTimer);
      clearTimeout(silenceTimer);
    },
  };
}
