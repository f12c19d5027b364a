import type { Lane } from '@sitewarden/agent-proto/http';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import type { DeviceKey } from '../identity/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import type { RelayFailure } from '../lib/relay-failure.ts';
import { type ChangeRow, changes, createStage, noteLoss, outbox, state } from '../store/index.ts';
import { type LaneDepth, laneDepths } from './depth.ts';
import { createDrain, type Drain, type LaneFault } from './drain.ts';
import { createLaneWriter, type LaneEntry, type LaneWriter, openLanes, UnfitRow } from './enqueue.ts';
import { tellAgain } from './tell-again.ts';

export type { LaneDepth } from './depth.ts';
export type { LaneFault } from './drain.ts';

export interface Outbox extends LifecyclePart {
  /** Works off every change that evidence is done with. */
  settle(): Promise<void>;
  snapshot(): Readonly<Record<Lane, LaneDepth>>;
  faults(): ReturnType<Drain['faults']>;
  readonly drain: Pick<Drain, 'setRate' | 'setPaused' | 'retryNow' | 'wake'>;
}

export interface OutboxOptions {
  readonly ctx: ApplianceContext;
  readonly dik: Pick<DeviceKey, 'envelope'>;
  readonly client: RelayClient;
  /** The disk is short: what is only telemetry is left out. */
  isThin(): boolean;
  /** Changes up to this id have their entries. */
  evidenceThrough(): number;
  /** Signs the evidence log as it stands when it grew. */
  checkpointNews(): void;
  onUnauthorized(failure: RelayFailure): void;
}

/** What the next heartbeat, check or look tells again. */
const THINNED = new Set<ChangeRow['kind']>(['agent_changed', 'device_seen', 'result_changed']);

/** Changes become rows of the lanes, and the rows reach the relay. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { ctx, dik, isThin } = options;
  const { db, clock, log } = ctx;
  const drain = createDrain({
    ...options,
    tellAgain: (lane) => tellAgain(db, lane, { writer: writer()!, nowMs: clock.nowMs() }),
  });
  let toLane: LaneWriter | undefined;

  function writer(): LaneWriter | undefined {
    if (toLane !== undefined) return toLane;
    const claim = state.get(db, 'claim');
    if (claim?.phase !== 'claimed') return undefined;
    const { applianceId, epoch } = claim.site;
    openLanes(db, epoch);
    toLane = createLaneWriter({ db, dik, applianceId, epoch });
    return toLane;
  }

  function entryOf(change: ChangeRow): LaneEntry | undefined {
    try {
      return toLane!.ofChange(change);
    } catch (error) {
      // Trouble with the disk passes. Whatever else is wrong is the row's own, and would hold up every row behind it.
      if (String((error as { code?: unknown }).code).startsWith('SQLITE_')) throw error;
      const why = error instanceof UnfitRow ? error.message : 'it cannot be read';
      const text = `Change ${change.id} (${change.kind}) does not fit its lane: ${why}`;
      log.error({ changeId: change.id, kind: change.kind, why, err: error }, 'a change was not sent');
      noteLoss(db, { what: change.kind, count: 1, code: 'OUTBOX_ROW_INVALID', text, atMs: clock.nowMs() });
      return undefined;
    }
  }

  function noteThinned(count: number): void {
    const text = `${count} telemetry rows were left out because the disk is short`;
    noteLoss(db, { what: 'telemetry', count, code: 'DISK_FULL', text, atMs: clock.nowMs() });
  }

  const stage = createStage<ChangeRow>({
    name: 'outbox',
    ctx,
    wakeOn: ['outbox', 'claimed'],
    // Behind evidence: a row names the entry that stands for it.
    read: (_db, afterId, limit) => {
      if (writer() === undefined) return [];
      const throughId = options.evidenceThrough();
      return throughId <= afterId ? [] : changes.since(db, afterId, { limit, throughId });
    },
    run(rows) {
      const isThinning = isThin();
      let left = 0;
      const byLane = new Map<outbox.StoredLane, { body: Uint8Array; createdAtMs: number }[]>();
      for (const change of rows) {
        if (isThinning && THINNED.has(change.kind)) {
          left += 1;
          continue;
        }
        const entry = entryOf(change);
        if (entry === undefined) continue;
        const lane = byLane.get(entry.lane) ?? [];
        byLane.set(entry.lane, lane);
        lane.push({ body: entry.body, createdAtMs: change.atMs });
      }
      for (const [lane, entries] of byLane) outbox.append(db, lane, entries);
      if (left > 0) noteThinned(left);
    },
    onCommitted: () => drain.wake(),
  });
  let off: (() => void)[] = [];

  return {
    name: 'outbox',
    async start() {
      await stage.start();
      drain.start();
      off = [ctx.signals.on('outbox', drain.wake), ctx.signals.on('claimed', drain.wake)];
    },
    async stop() {
      for (const leave of off) leave();
      await drain.stop();
      await stage.stop();
    },
    settle: stage.settle,
    snapshot() {
      const depths = laneDepths(db, clock.nowMs());
      for (const [lane, { depth }] of Object.entries(depths))
        ctx.metrics.outboxDepth.set({ lane: lane as Lane }, depth);
      return depths;
    },
    faults: drain.faults,
    drain,
  };
}

export type OutboxFaults = Readonly<Partial<Record<Lane | 'checkpoint', LaneFault>>>;
