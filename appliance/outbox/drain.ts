import type { Lane } from '@sitewarden/agent-proto/http';
import type { ApplianceContext } from '../lib/context.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { RelayFailure } from '../lib/relay-failure.ts';
import { evidence, outbox } from '../store/index.ts';
import { nextLookMs, retryDelayMs } from './lane-policy.ts';
import { sendCheckpoint } from './send-checkpoint.ts';
import { createLaneSender, type LaneSenderOptions } from './send-lane.ts';

export interface LaneFault {
  readonly code: string;
  readonly message: string;
  readonly atMs: number;
  /** Waits for a person: the relay will not take it as it is. */
  readonly isPermanent: boolean;
}

type Queue = Lane | 'checkpoint';
/**
 * Receipts first: they are few, and somebody waits for each. A checkpoint before the entries: it is at most one request in
 * five seconds, and entries that outrun the drain never end.
 */
const QUEUES: readonly Queue[] = ['receipts', 'checkpoint', 'evidence', 'incidents', 'telemetry'];
const MAX_ROWS = 1000;
/** A burst of entries is cosigned once. */
const CHECKPOINT_EVERY_MS = 5000;

export interface Drain {
  start(): void;
  stop(): Promise<void>;
  wake(): void;
  /** Rows a second, from the last check-in. */
  setRate(rowsPerS: number): void;
  /** The relay refused this box altogether, or takes it again. */
  setPaused(isPaused: boolean): void;
  /** The connection stands again: whatever waits for a quiet relay is tried at once. */
  retryNow(): void;
  faults(): Readonly<Partial<Record<Queue, LaneFault>>>;
}

export interface DrainOptions extends LaneSenderOptions {
  readonly ctx: ApplianceContext;
  readonly client: RelayClient;
  /** Signs the evidence log as it stands when it grew. */
  checkpointNews(): void;
  /** The relay answered 401 or 403. */
  onUnauthorized(failure: RelayFailure): void;
  readonly random?: () => number;
}

interface QueueState {
  attempt: number;
  notBeforeMs: number;
  fault?: LaneFault;
}

/**
 * Sends what waits, the most important lane first, no faster than the relay asked for. A lane that fails waits by itself:
 * a row nobody will take holds up its own lane, visibly, and no other.
 */
export function createDrain(options: DrainOptions): Drain {
  const { ctx, client, onUnauthorized, random = Math.random } = options;
  const { db, clock, log, metrics } = ctx;
  const sender = createLaneSender(ctx, client, options);
  const states = Object.fromEntries(QUEUES.map((queue) => [queue, { attempt: 0, notBeforeMs: 0 }])) as Record<
    Queue,
    QueueState
  >;
  let rowsPerS = 100;
  let readyAtMs = 0;
  let lookedAtMs = 0;
  let isOn = false;
  let isPaused = false;
  let isWoken = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function attempt(queue: Queue): Promise<number> {
    if (queue !== 'checkpoint') return await sender.send(queue, Math.min(MAX_ROWS, Math.max(1, rowsPerS)));
    const { ackedThrough } = outbox.lane(db, 'evidence') ?? { ackedThrough: 0 };
    if (ackedThrough === 0) return 0;
    // The relay cosigns as mirror only what it holds: the tree as it stands, or the newest kept checkpoint it has all of.
    if (ackedThrough >= evidence.size(db)) options.checkpointNews();
    const before = evidence.lastCosigned(db)?.size ?? 0;
    const settled = (await sendCheckpoint(ctx, client, ackedThrough)) - before;
    if (settled > 0) states.checkpoint.notBeforeMs = clock.monotonicMs() + CHECKPOINT_EVERY_MS;
    return settled;
  }

  function onFailure(queue: Queue, error: unknown): void {
    const state = states[queue];
    const failure = error instanceof RelayFailure ? error : undefined;
    const kind = failure?.kind ?? 'ambiguous';
    const delayMs = retryDelayMs({ kind, attempt: state.attempt, retryAfterMs: failure?.retryAfterMs, random });
    state.attempt += 1;
    state.notBeforeMs = clock.monotonicMs() + delayMs;
    const code = failure?.code ?? 'INTERNAL';
    const isPermanent = kind === 'permanent';
    state.fault = { code, message: (error as Error).message, atMs: clock.nowMs(), isPermanent };
    metrics.outboxFailures.inc({ lane: queue, code });
    log.warn({ queue, code, kind, delayMs, ...(failure ? {} : { err: error }) }, 'sending failed, will retry');
    if (kind === 'unauthorized') onUnauthorized(failure!);
  }

  /** One request; answers whether anything was sent. */
  async function step(): Promise<boolean> {
    lookedAtMs = clock.monotonicMs();
    for (const queue of QUEUES) {
      const state = states[queue];
      if (state.notBeforeMs > lookedAtMs) continue;
      try {
        const settled = await attempt(queue);
        state.attempt = 0;
        delete state.fault;
        if (settled === 0) continue;
        if (queue !== 'checkpoint') readyAtMs = clock.monotonicMs() + (settled / rowsPerS) * 1000;
        return true;
      } catch (error) {
        onFailure(queue, error);
        // Nothing else would fare better while the relay cannot be reached.
        if (error instanceof RelayFailure && (error.kind === 'unsent' || error.kind === 'unauthorized')) return false;
      }
    }
    return false;
  }

  async function run(): Promise<void> {
    let hasMore = true;
    while (isOn && !isPaused && hasMore) {
      const waitMs = readyAtMs - clock.monotonicMs();
      if (waitMs > 1) await sleep(waitMs);
      if (!isOn || isPaused) return;
      isWoken = false;
      hasMore = (await step()) || isWoken;
    }
  }

  const untilNextLook = () =>
    nextLookMs({
      notBeforeMs: QUEUES.map((queue) => states[queue].notBeforeMs),
      lookedAtMs,
      nowMs: clock.monotonicMs(),
    });

  let endSleep: (() => void) | undefined;
  function sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const pause = setTimeout(resolve, ms);
      endSleep = () => {
        clearTimeout(pause);
        resolve();
      };
    });
  }

  function begin(): void {
    clearTimeout(timer);
    if (!isOn || isPaused || running !== undefined) return;
    running = run()
      .catch((error: unknown) => log.error({ err: error }, 'the outbox failed, will retry'))
      .finally(() => {
        running = undefined;
        if (isOn && !isPaused) timer = setTimeout(begin, isWoken ? 0 : untilNextLook());
      });
  }

  return {
    start() {
      isOn = true;
      begin();
    },
    async stop() {
      isOn = false;
      clearTimeout(timer);
      endSleep?.();
      await running;
    },
    wake() {
      isWoken = true;
      begin();
    },
    setRate(value) {
      rowsPerS = Math.max(1, value);
    },
    setPaused(value) {
      isPaused = value;
      endSleep?.();
      if (!value) begin();
    },
    retryNow() {
      for (const state of Object.values(states)) if (state.fault?.isPermanent !== true) state.notBeforeMs = 0;
      this.wake();
    },
    faults() {
      const found = Object.entries(states).filter(([, { fault }]) => fault !== undefined);
      return Object.fromEntries(found.map(([queue, { fault }]) => [queue, fault]));
    },
  };
}
