import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import {
  agents,
  BOX,
  devices,
  incidentById,
  latestRmm,
  openIncidents,
  outbox,
  recentActionRuns,
  recentlyResolvedIncidents,
  relayOrders,
  resultsOfSource,
  toActionRunChange,
  toCheckRow,
  toIncidentRow,
} from '../store/index.ts';
import { type LaneWriter, UnfitRow } from './enqueue.ts';

/** What is over is told as far back as a person would ask. */
const TOLD_ENDED = 500;

/**
 * A relay was set back to a backup and lost rows that are no longer here. What they said is here as it stands now, and
 * goes behind what waits. Answers how many rows. Belongs in a transaction.
 */
export function tellAgain(
  db: SqliteDatabase,
  lane: outbox.StoredLane,
  { writer, nowMs }: { writer: LaneWriter; nowMs: number },
): number {
  const bodies = [...BODIES[lane](db, writer)];
  outbox.append(
    db,
    lane,
    bodies.map((body) => ({ body, createdAtMs: nowMs })),
  );
  return bodies.length;
}

const BODIES: Record<outbox.StoredLane, (db: SqliteDatabase, writer: LaneWriter) => Iterable<Uint8Array>> = {
  *telemetry(db, { telemetry }) {
    const all = agents.list(db);
    for (const agent of all) yield* fitting(() => telemetry(agents.toRow(agent)));
    for (const source of [BOX, ...all.map(({ id }) => id)]) {
      for (const result of resultsOfSource(db, source)) yield* fitting(() => telemetry(toCheckRow(result)));
      const rmm = latestRmm(db, source);
      if (rmm !== undefined) yield* fitting(() => telemetry(rmm));
    }
    for (const device of devices.list(db)) yield* fitting(() => telemetry(devices.toRow(device)));
  },
  *incidents(db, { incidents }) {
    // Those that ended before those that stand, and each before what was done about it.
    const ended = recentlyResolvedIncidents(db, TOLD_ENDED).reverse();
    for (const incident of [...ended, ...openIncidents(db)]) yield* fitting(() => incidents(toIncidentRow(incident)));
    for (const run of recentActionRuns(db, TOLD_ENDED).reverse()) {
      const incident = incidentById(db, run.incidentId);
      if (incident !== undefined) yield* fitting(() => incidents(toActionRunChange(run, incident).row));
    }
  },
  *receipts(db, { receipt }) {
    for (const order of relayOrders.listRecent(db, TOLD_ENDED).reverse()) {
      const { state } = order;
      if (state !== 'queued' && state !== 'delivered') {
        yield* fitting(() => receipt(relayOrders.toChange(order, state, undefined)));
      }
    }
  },
};

/** What would not be taken was noted when it came up. */
function fitting(write: () => Uint8Array): Uint8Array[] {
  try {
    return [write()];
  } catch (error) {
    if (error instanceof UnfitRow) return [];
    throw error;
  }
}
