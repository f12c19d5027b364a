import type { Box } from '../lib/identity.ts';
import type { LiveKind } from '../live/index.ts';
import type { Store, Tx } from '../store/index.ts';
import type { Batch } from './parse.ts';

/** Whose rows they are, as the box stands inside the transaction. */
export interface Place {
  applianceId: string;
  partnerId: string;
  siteId: string;
  epoch: number;
}

export interface PreparedBatch {
  /**
   * Writes the effects of the rows after `ackedThrough`; those up to it are repetitions. Runs in the transaction that
   * moves the position: both happen or neither.
   */
  apply(trx: Tx, place: Place, input: { ackedThrough: number; nowMs: number }): Promise<void>;
}

/** Checks every row of a batch outside the write transaction. Throws coded errors; nothing is stored then. */
export interface LaneHandler {
  prepare(box: Box, batch: Batch): Promise<PreparedBatch>;
  /** Told to open pages when rows had an effect. */
  changes: readonly LiveKind[];
}

export interface LaneDeps {
  store: Store;
}

/** The position moved between check and write: check again from there. */
export class PositionMoved extends Error {}
