import { LANES, type Lane } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { evidence, outbox } from '../store/index.ts';

export interface LaneDepth {
  /** Rows the relay has not acknowledged. */
  readonly depth: number;
  /** 0 when empty. */
  readonly oldestAgeMs: number;
}

/** By sequence numbers, not by counting rows: a million waiting rows cost the same as none. */
export function laneDepths(db: SqliteDatabase, nowMs: number): Record<Lane, LaneDepth> {
  return Object.fromEntries(LANES.map((lane) => [lane, depthOf(db, lane, nowMs)])) as Record<Lane, LaneDepth>;
}

function depthOf(db: SqliteDatabase, name: Lane, nowMs: number): LaneDepth {
  const lane = outbox.lane(db, name);
  const acked = lane?.ackedThrough ?? 0;
  const through = name === 'evidence' ? evidence.size(db) : (lane?.nextSeq ?? 1) - 1;
  const depth = Math.max(0, through - acked);
  if (depth === 0) return { depth, oldestAgeMs: 0 };
  const oldestAtMs = name === 'evidence' ? evidence.leaves(db, acked, 1)[0]?.atMs : outbox.oldestAtMs(db, name);
  return { depth, oldestAgeMs: Math.max(0, nowMs - (oldestAtMs ?? nowMs)) };
}
