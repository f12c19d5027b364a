import { jittered, nextDelayMs, type RetrySchedule } from '@sitewarden/kit/backoff';
import type { Logger } from '@sitewarden/kit/log';
import type { ServiceManager } from '@sitewarden/kit/services';
import type { Clock } from '@sitewarden/kit/time';
import { type Collector, runChecks } from '../collect/index.ts';
import type { RoundSummary } from '../heal/index.ts';
import type { AgentQueue, StoreHealth } from '../queue/index.ts';
import { detectRmm } from '../rmm/index.ts';
import type { SiteConfig, SiteState } from '../site/index.ts';
import { createRoundReports } from './round-reports.ts';

export interface CheckRoundsOptions {
  readonly queue: AgentQueue;
  readonly site: SiteState;
  readonly services: ServiceManager;
  readonly clock: Clock;
  readonly log: Logger;
  readonly health?: StoreHealth;
  readonly random?: () => number;
  /** Default: all the agent has. */
  readonly collectors?: readonly Collector[];
}

export interface CheckRounds {
  /** Begins the timer when the site's wishes are known from before; else the first Welcome does. */
  start(): void;
  /** A session came up: looks at once, unless this process has looked before. */
  welcomed(): void;
  /**
   * Looks now, after a round that is under way. What a check finds is queued when it is there; ends when all of them have
   * reported. Throws when the reports cannot be stored.
   */
  runNow(request: RoundRequest): Promise<RoundSummary>;
  stop(): Promise<void>;
}

export interface RoundRequest {
  readonly checks: readonly string[];
  /** Empty when nobody asked. */
  readonly orderId: string;
  readonly signal?: AbortSignal;
}

/** The workstations of a site were perhaps switched on together; they need not all check together for ever. */
const JITTER = 0.1;
/** A round whose reports could not be stored: on a full disk each one costs tools and tells nobody anything. */
const ROUND_RETRY: RetrySchedule = { baseMs: 10_000, capMs: 300_000 };
const MAX_TIMER_MS = 2 ** 31 - 1;

export function createCheckRounds(options: CheckRoundsOptions): CheckRounds {
  const { queue, site, services, clock, log, health, collectors, random = Math.random } = options;
  const callOff = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let lastRound: Promise<unknown> = Promise.resolve();
  let isRunning = false;
  let hasRun = false;
  let isWantedAgain = false;
  /** Rounds in a row that could not be stored. */
  let failures = 0;
  let config = site.config;

  const stopListening = site.onChange((changed) => {
    const isOtherWork = workOf(changed) !== workOf(config);
    const isOtherPace = changed.checkIntervalMs !== config.checkIntervalMs;
    config = changed;
    if (isOtherWork && hasRun) roundSoon();
    else if (isOtherPace && timer !== undefined && !isRunning) schedule();
  });

  async function round({ checks, orderId, signal: called }: RoundRequest): Promise<RoundSummary> {
    const { requiredServices } = site.config;
    const signal = called === undefined ? callOff.signal : AbortSignal.any([callOff.signal, called]);
    const reports = createRoundReports({ enqueue: queue.reports.enqueue, orderId, signal });
    const sightings = detectRmm(signal).then((seen) => seen && reports.seen(seen));
    const look = { checks, requiredServices, services, signal, onFound: reports.found };
    const outcomes = await runChecks(collectors === undefined ? look : { ...look, collectors });
    reports.hold();
    await sightings;
    signal.throwIfAborted();
    const queued = reports.end();
    const statuses: Record<string, number> = {};
    for (const { status } of outcomes) statuses[status] = (statuses[status] ?? 0) + 1;
    return { reports: queued, statuses };
  }

  /** One round at a time: two would slow each other down into their time limits. */
  function runNow(request: RoundRequest): Promise<RoundSummary> {
    const next = lastRound.then(() => round(request));
    lastRound = next.catch(() => {});
    return next;
  }

  function roundSoon(): void {
    if (isRunning) isWantedAgain = true;
    else void scheduledRound();
  }

  async function scheduledRound(): Promise<void> {
    clearTimeout(timer);
    isRunning = true;
    hasRun = true;
    try {
      const summary = await runNow({ checks: site.config.checks, orderId: '' });
      queue.site.writeLastCollected(clock.nowMs());
      failures = 0;
      health?.worked();
      log.info({ ...summary }, 'checks done');
    } catch (error) {
      failures += 1;
      if (!callOff.signal.aborted) {
        health?.failed(error);
        log.error({ err: error, failures }, 'the reports of this round could not be stored');
      }
    }
    isRunning = false;
    if (callOff.signal.aborted) return;
    if (!isWantedAgain) {
      schedule();
      return;
    }
    isWantedAgain = false;
    void scheduledRound();
  }

  /** From the last round on, so that restarts of the agent neither skip rounds nor add any. */
  function schedule(): void {
    clearTimeout(timer);
    if (callOff.signal.aborted) return;
    if (failures > 0) {
      const capMs = Math.min(ROUND_RETRY.capMs, config.checkIntervalMs);
      timer = setTimeout(scheduledRound, nextDelayMs({ ...ROUND_RETRY, capMs, attempt: failures - 1, random }));
      return;
    }
    const waitMs = jittered(config.checkIntervalMs, JITTER, random);
    const lastMs = queue.site.readLastCollected();
    const sinceMs = lastMs === undefined ? Number.POSITIVE_INFINITY : clock.nowMs() - lastMs;
    // A last round in the future is a clock that was set back; the interval then counts from now.
    const leftMs = sinceMs < 0 ? waitMs : waitMs - sinceMs;
    timer = setTimeout(scheduledRound, Math.min(Math.max(leftMs, 0), MAX_TIMER_MS));
  }

  return {
    start() {
      if (site.isKnown) schedule();
    },
    welcomed() {
      if (!hasRun) roundSoon();
    },
    runNow,
    async stop() {
      callOff.abort();
      clearTimeout(timer);
      stopListening();
      await lastRound;
    },
  };
}

/** What a round looks at: when it changes, results for the new work should not wait for the next interval. */
function workOf({ checks, requiredServices }: SiteConfig): string {
  return JSON.stringify([checks, requiredServices]);
}
