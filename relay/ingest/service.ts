import type { Lane, OutboxAnswer } from '@sitewarden/agent-proto/http';
import type { Clock } from '@sitewarden/kit/time';
import { relayErrors } from '../errors.ts';
import type { Box } from '../lib/identity.ts';
import type { LiveBus } from '../live/index.ts';
import type { Store, Tx } from '../store/index.ts';
import { noteLaneLoss } from '../store/repositories/lane-losses.ts';
import { type LaneKey, lockPosition, readAppliance, savePosition } from '../store/repositories/outbox.ts';
import { EvidenceRefused, noteFault } from './faults.ts';
import { createEvidenceLane } from './lanes/evidence.ts';
import { createIncidentsLane } from './lanes/incidents.ts';
import { createReceiptsLane } from './lanes/receipts.ts';
import { createTelemetryLane } from './lanes/telemetry.ts';
import type { IngestMetrics } from './metrics.ts';
import { type Batch, parseBatch } from './parse.ts';
import { type LaneHandler, type Place, PositionMoved, type PreparedBatch } from './types.ts';

/** Two relays that take in the same batch at once: one of them checks again, and then finds repetitions. */
const MAX_TRIES = 5;

/** Where a lane stands; the proof of exactly-once replaces it to show that without it rows count twice. */
export interface Positions {
  lock(trx: Tx, key: LaneKey): Promise<number>;
  save(trx: Tx, key: LaneKey, ackedThrough: number): Promise<void>;
}

export interface IngestDeps {
  store: Store;
  clock: Clock;
  bus: LiveBus;
  metrics: IngestMetrics;
  positions?: Positions;
}

export interface IngestService {
  /**
   * Takes one OUTBOX/1 body of a box. Resolves after the commit of effects and position. Throws BODY_INVALID,
   * BODY_TOO_LARGE, OUTBOX_*, EVIDENCE_*, RECEIPT_INVALID, APPLIANCE_*; nothing of the batch is stored then.
   */
  ingest(box: Box, body: Buffer): Promise<OutboxAnswer>;
}

interface Skip {
  readonly key: LaneKey & { siteId: string };
  readonly known: number;
  readonly batch: Batch;
  readonly nowMs: number;
}

export function createIngestService(deps: IngestDeps): IngestService {
  const { store, clock, bus, metrics } = deps;
  const positions = deps.positions ?? { lock: lockPosition, save: savePosition };
  const lanes: Record<Lane, LaneHandler> = {
    evidence: createEvidenceLane({ store }),
    receipts: createReceiptsLane({ store }),
    incidents: createIncidentsLane(),
    telemetry: createTelemetryLane(),
  };

  async function placeOf(trx: Tx, box: Box, epoch: number): Promise<Place> {
    const appliance = await readAppliance(trx, box.applianceId);
    if (appliance === undefined) throw relayErrors.make('APPLIANCE_UNKNOWN');
    if (appliance.state === 'revoked') throw relayErrors.make('APPLIANCE_REVOKED');
    if (appliance.state !== 'active') throw relayErrors.make('APPLIANCE_QUARANTINED');
    if (appliance.epoch !== epoch) {
      throw relayErrors.make('OUTBOX_EPOCH', { data: { epoch: appliance.epoch } });
    }
    return { applianceId: box.applianceId, partnerId: box.partnerId, siteId: appliance.siteId, epoch };
  }

  /** Through which row the lane is settled when the box says that it has no more of what is missing here. */
  async function skipAbsent(trx: Tx, { key, known, batch, nowMs }: Skip): Promise<number> {
    const { absent, firstSeq } = batch;
    if (absent === undefined || absent.fromSeq !== known + 1) return known;
    const rows = firstSeq - absent.fromSeq;
    await noteLaneLoss(trx, { ...key, fromSeq: absent.fromSeq, rows, refused: absent.refused, atMs: nowMs });
    return firstSeq - 1;
  }

  function write(box: Box, batch: Batch, prepared: PreparedBatch): Promise<OutboxAnswer> {
    return store.inTenant(box.partnerId, async (trx) => {
      const place = await placeOf(trx, box, batch.epoch);
      const key = { ...place, lane: batch.lane };
      const nowMs = clock.nowMs();
      const known = await positions.lock(trx, key);
      const ackedThrough = await skipAbsent(trx, { key, known, batch, nowMs });
      if (batch.firstSeq > ackedThrough + 1) {
        throw relayErrors.make('OUTBOX_GAP', { data: { expectedSeq: ackedThrough + 1 } });
      }
      const through = batch.firstSeq + batch.rows.length - 1;
      if (through <= ackedThrough) return { ackedThrough, newRows: 0 };
      await prepared.apply(trx, place, { ackedThrough, nowMs });
      await positions.save(trx, key, through);
      return { ackedThrough: through, newRows: through - ackedThrough };
    });
  }

  async function take(box: Box, batch: Batch): Promise<OutboxAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      const prepared = await lanes[batch.lane].prepare(box, batch);
      try {
        return await write(box, batch, prepared);
      } catch (error) {
        if (!(error instanceof PositionMoved)) throw error;
        if (attempt === MAX_TRIES) throw relayErrors.make('OVERLOADED', { data: { retryAfterS: 1 } });
      }
    }
  }

  /** In a transaction of its own: the batch that showed the fault left nothing behind. */
  async function refuseEvidence(box: Box, batch: Batch, refused: EvidenceRefused): Promise<void> {
    await store.inTenant(box.partnerId, async (trx) => {
      const place = await placeOf(trx, box, batch.epoch);
      await noteFault(trx, place, { code: refused.code, message: refused.message, atMs: clock.nowMs() });
    });
    publish(box, ['evidence', 'site']);
  }

  function publish(box: Box, kinds: LaneHandler['changes']): void {
    if (!bus.hasListeners(box.partnerId)) return;
    for (const kind of kinds) bus.publish(box.partnerId, { kind, siteId: box.siteId, atMs: clock.nowMs() });
  }

  return {
    async ingest(box, body) {
      const batch = parseBatch(body);
      try {
        const answer = await take(box, batch);
        metrics.rows(batch.lane, { fresh: answer.newRows, repeated: batch.rows.length - answer.newRows });
        if (answer.newRows > 0) publish(box, lanes[batch.lane].changes);
        return answer;
      } catch (error) {
        if (error instanceof EvidenceRefused) await refuseEvidence(box, batch, error);
        const coded = error instanceof EvidenceRefused ? error.toCoded() : error;
        metrics.refused(batch.lane, relayErrors.is(coded) ? coded.code : 'INTERNAL');
        throw coded;
      }
    },
  };
}
