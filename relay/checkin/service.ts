import { hash } from 'node:crypto';
import { type CheckinRequest, type CheckinResponse, LANES } from '@sitewarden/agent-proto/http';
import type { Clock } from '@sitewarden/kit/time';
import { relayErrors } from '../errors.ts';
import { Batcher } from '../lib/batcher.ts';
import { createLru } from '../lib/lru.ts';
import type { LiveBus } from '../live/index.ts';
import type { SightingBook } from '../quarantine/index.ts';
import type { Store, Tx } from '../store/index.ts';
import { type CheckinWrite, commitCheckins, quarantine } from '../store/repositories/live.ts';
import { lastHeard, type Sighting, saveSightings } from '../store/repositories/sightings.ts';
import { type CheckinDecision, decideCheckin } from './decide.ts';
import { createDrainShare } from './drain-rate.ts';
import type { CheckinMetrics } from './metrics.ts';
import { createCheckinTokens, type TokenMac } from './tokens.ts';

/** One row a check-in and a sync a batch: 256 rows are a few milliseconds of work. */
const MAX_BATCH = 256;
const MAX_DELAY_MS = 2;
/** Beyond this a box is told to come again; a fleet of 10,000 sends 170 a second. */
const MAX_WAITING = 10_000;
const DEFAULT_INTERVAL_MS = 60_000;
/** A box that says it is further ahead than this has made it up: settings change a few times a day. */
const MAX_GENERATIONS_AHEAD = 1_000_000;
/** Of one box: what it says costs a line of the audit log, which is for good. */
const OVERTAKE_EVERY_MS = 3_600_000;
const MAX_REMEMBERED = 10_000;
const IN_SERVICE: ReadonlySet<CheckinDecision['outcome']> = new Set(['accept', 'repeat', 'restored']);

export interface CheckinBox {
  applianceId: string;
  partnerId: string;
  epoch: number;
}

/** What staff are told of a box, and when. */
export interface CheckinEvent {
  partnerId: string;
  applianceId: string;
  siteId: string;
  atMs: number;
}

export interface CheckinDeps {
  store: Store;
  clock: Clock;
  bus: LiveBus;
  metrics: CheckinMetrics;
  /** DSSE by the `time` key over the nonce and the time. */
  signTime(nonce: string, timeMs: number): string;
  /** By a secret of the relay: what makes a check-in token provably its own. */
  tokenMac: TokenMac;
  /** Tells staff, in the transaction that took the box out of service. */
  alarm(trx: Tx, event: CheckinEvent): Promise<void>;
  /** Writes down that a box was ahead of the relay's state: once for each box, its chain goes on from there. */
  noteRestored(trx: Tx, event: CheckinEvent): Promise<void>;
  /**
   * The box has settings of a number the relay, whose database is from a backup, has not reached or gave to others; it
   * takes only higher ones. Answers the number the relay's own settings have from now on.
   */
  overtakeConfig(trx: Tx, event: CheckinEvent & { generation: number }): Promise<number>;
  /** Machines that use the identity of a box in quarantine. */
  sightings: SightingBook;
  /** After that transaction: what is cached about the box is out of date. */
  onQuarantined(applianceId: string): void;
  /** Of the list of working keys this relay publishes. */
  relayKeysGeneration?: number;
  /** Between two check-ins of a box. Default 60,000. */
  intervalMs?: number;
}

export interface CheckinService {
  /**
   * `raw` the exact bytes the box signed, `request` what they say, `address` where they came from. Resolves after the commit. Throws
   * APPLIANCE_UNKNOWN, APPLIANCE_REVOKED, OVERLOADED.
   */
  checkin(box: CheckinBox, request: CheckinRequest, raw: Buffer, address?: string): Promise<CheckinResponse>;
}

export function createCheckinService(deps: CheckinDeps): CheckinService {
  const { store, clock, bus, metrics, signTime, intervalMs = DEFAULT_INTERVAL_MS } = deps;
  const tokens = createCheckinTokens(deps.tokenMac);
  const drain = createDrainShare();
  const overtakenAtMs = createLru<string, number>(MAX_REMEMBERED);
  const batcher = new Batcher<CheckinWrite, CheckinDecision>({
    commit: (writes) => commitCheckins(store, writes, (known, write) => decideCheckin(tokens, known, write)),
    maxBatch: MAX_BATCH,
    maxDelayMs: MAX_DELAY_MS,
    maxQueue: MAX_WAITING,
  });

  /** Stops the box in a transaction of its own, so that the alarm and the state stand or fall together. */
  async function stopClone(box: CheckinBox, siteId: string, second: Sighting): Promise<void> {
    const atMs = clock.nowMs();
    const { applianceId, partnerId } = box;
    await store.inTenant(partnerId, async (trx) => {
      if (!(await quarantine(trx, applianceId, atMs))) return;
      const heard = await lastHeard(trx, applianceId);
      const first = heard && { applianceId, partnerId, ...heard, address: addressOf(applianceId, heard.bootId) };
      await saveSightings(trx, first ? [first, second] : [second]);
      await deps.alarm(trx, { ...eventOf(box, siteId), atMs });
    });
    deps.onQuarantined(box.applianceId);
  }

  const addressOf = (applianceId: string, bootId: string) => deps.sightings.addressOf({ applianceId, bootId });

  function mayOvertake(applianceId: string, nowMs: number): boolean {
    const beforeMs = overtakenAtMs.get(applianceId);
    if (beforeMs !== undefined && Math.abs(nowMs - beforeMs) < OVERTAKE_EVERY_MS) return false;
    overtakenAtMs.set(applianceId, nowMs);
    return true;
  }

  function overtake(box: CheckinBox, { siteId, generation }: { siteId: string; generation: number }): Promise<number> {
    const event = { ...eventOf(box, siteId), atMs: clock.nowMs(), generation };
    return store.inTenant(box.partnerId, (trx) => deps.overtakeConfig(trx, event));
  }

  return {
    async checkin(box, request, raw, address = '') {
      const nowMs = clock.nowMs();
      const queue = queueOf(request);
      const write: CheckinWrite = {
        partnerId: box.partnerId,
        applianceId: box.applianceId,
        epoch: box.epoch,
        previousToken: request.previousToken,
        bodyHash: hash('sha256', raw, 'base64'),
        body: raw.toString('utf8'),
        counter: request.counter,
        bootId: request.bootId,
        clockOffsetMs: request.clock.nowMs - nowMs,
        queueDepth: queue.depth,
        queueOldestMs: queue.oldestAgeMs,
        nowMs,
        random: tokens.draw(),
      };
      const committed = batcher.add(write);
      if (committed === undefined) throw relayErrors.make('OVERLOADED', { data: { retryAfterS: 10 } });
      const decision = await committed;
      metrics.checkins[decision.outcome].inc();
      if (decision.outcome === 'unknown') throw relayErrors.make('APPLIANCE_UNKNOWN');
      if (decision.outcome === 'revoked') throw relayErrors.make('APPLIANCE_REVOKED');
      const { applianceId, partnerId, bootId, body } = write;
      const sighting: Sighting = { applianceId, partnerId, bootId, address, atMs: nowMs, body };
      // The address the machine before came from is told before this one's takes its place.
      if (decision.outcome === 'clone') await stopClone(box, decision.siteId as string, sighting);
      if (decision.outcome === 'quarantined') deps.sightings.note(sighting);
      deps.sightings.heard(write, address);
      if (decision.outcome === 'restored') {
        const event = { ...eventOf(box, decision.siteId as string), atMs: nowMs };
        await store.inTenant(box.partnerId, (trx) => deps.noteRestored(trx, event));
      }
      const isActive = IN_SERVICE.has(decision.outcome);
      const ahead = request.configGeneration - decision.configGeneration;
      // After a backup the same number may stand for other settings.
      const isOvertaken = ahead > 0 || (ahead === 0 && decision.outcome === 'restored');
      const configGeneration =
        isActive && isOvertaken && ahead <= MAX_GENERATIONS_AHEAD && mayOvertake(box.applianceId, nowMs)
          ? await overtake(box, { siteId: decision.siteId as string, generation: request.configGeneration })
          : decision.configGeneration;
      if (bus.hasListeners(box.partnerId)) {
        bus.publish(box.partnerId, { kind: 'site', siteId: decision.siteId, atMs: nowMs });
      }
      return {
        token: decision.token,
        state: isActive ? 'active' : 'quarantined',
        timeMs: nowMs,
        signedTime: request.timeNonce === null ? null : signTime(request.timeNonce, nowMs),
        configGeneration,
        pendingOrders: decision.pendingOrders,
        ...(deps.relayKeysGeneration === undefined ? {} : { relayKeysGeneration: deps.relayKeysGeneration }),
        drainRowsPerS: drain.rateFor(box.applianceId, queue.depth, nowMs),
        nextCheckinMs: intervalMs,
        ...(decision.isReleasing ? { isReleasing: true as const } : {}),
      };
    },
  };
}

const eventOf = ({ applianceId, partnerId }: CheckinBox, siteId: string) => ({ applianceId, partnerId, siteId });

function queueOf({ lanes }: CheckinRequest): { depth: number; oldestAgeMs: number } {
  let depth = 0;
  let oldestAgeMs = 0;
  for (const lane of LANES) {
    depth += lanes[lane].depth;
    if (lanes[lane].oldestAgeMs > oldestAgeMs) oldestAgeMs = lanes[lane].oldestAgeMs;
  }
  return { depth: Math.min(depth, Number.MAX_SAFE_INTEGER), oldestAgeMs };
}
