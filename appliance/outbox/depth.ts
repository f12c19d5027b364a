import { LANES, type Lane } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { backlogOf, type ChangeKind, changes, evidence, outbox, readCursor } from '../store/index.ts';
import { LANE_OF_CHANGE } from './enqueue.ts';

export interface LaneDepth {
  /** What the relay does not have: rows it has not acknowledged, and changes that are not rows yet. */
  readonly depth: number;
  /** 0 when empty. */
  readonly oldestAgeMs: number;
}

/** By sequence numbers, not by counting rows: a million waiting rows cost the same as a thousand. */
export function laneDepths(db: SqliteDatabase, nowMs: number): Record<Lane, LaneDepth> {
  return Object.fromEntries(LANES.map((lane) => [lane, depthOf(db, lane, nowMs)])) as Record<Lane, LaneDepth>;
}

/** Before the claim there are no lanes, and nothing is on its way. */
function depthOf(db: SqliteDatabase, name: Lane, nowMs: number): LaneDepth {
  const lane = outbox.lane(db, name);
  if (lane === undefined) return { depth: 0, oldestAgeMs: 0 };
  const ready = name === 'evidence' ? readyEntries(db, lane.ackedThrough) : readyRows(db, name, lane);
  const coming = name === 'evidence' ? comingEntries(db) : comingRows(db, name);
  // A stage that stands still would otherwise look like a site where nothing happens.
  const reports = name === 'telemetry' ? backlogOf(db, 'assess', nowMs) : { waiting: 0, oldestAgeMs: 0 };
  const ages = [ready.oldestAtMs, coming.oldestAtMs].map((atMs) => (atMs === undefined ? 0 : nowMs - atMs));
  return {
    depth: ready.count + coming.count + reports.waiting,
    oldestAgeMs: Math.max(0, reports.oldestAgeMs, ...ages),
  };
}

function readyEntries(db: SqliteDatabase, ackedThrough: number): changes.WaitingChanges {
  const count = Math.max(0, evidence.size(db) - ackedThrough);
  return { count, oldestAtMs: count === 0 ? undefined : evidence.leaves(db, ackedThrough, 1)[0]?.atMs };
}

function readyRows(
  db: SqliteDatabase,
  name: outbox.StoredLane,
  { nextSeq, ackedThrough }: outbox.LaneRow,
): changes.WaitingChanges {
  const count = Math.max(0, nextSeq - 1 - ackedThrough);
  return { count, oldestAtMs: count === 0 ? undefined : outbox.oldestAtMs(db, name) };
}

const SILENT: ReadonlySet<ChangeKind> = new Set(changes.NOT_EVIDENCE);

const comingEntries = (db: SqliteDatabase): changes.WaitingChanges =>
  changes.waiting(db, readCursor(db, 'evidence'), (kind) => !SILENT.has(kind));

const comingRows = (db: SqliteDatabase, name: outbox.StoredLane): changes.WaitingChanges =>
  changes.waiting(db, readCursor(db, 'outbox'), (kind) => LANE_OF_CHANGE[kind] === name);
