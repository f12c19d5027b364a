import {
  type AbsentRows,
  BOX_PATHS,
  compile,
  type Lane,
  type LossCode,
  OutboxAnswer,
} from '@sitewarden/agent-proto/http';
import { withTransaction } from '@sitewarden/kit/sqlite';
import type { ApplianceContext } from '../lib/context.ts';
import { lazily } from '../lib/lazily.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { RelayFailure } from '../lib/relay-failure.ts';
import { evidence, noteLoss, outbox } from '../store/index.ts';
import { type Batch, nextBatch } from './batch.ts';

export interface LaneSender {
  /** Sends one batch; answers how many rows were settled, 0 when none waits. Rejects with RelayFailure. */
  send(lane: Lane, maxRows: number): Promise<number>;
}

/** With the waits between them more than half an hour: a relay that refuses whatever it gets is mended meanwhile. */
const REFUSALS_OF_A_ROW = 3;

/** What the relay says of one row: `data.seq` is its number. */
const ROW_CODES = ['OUTBOX_ROW_INVALID', 'RECEIPT_INVALID'] as const satisfies readonly LossCode[];

export interface LaneSenderOptions {
  /** Puts what the relay has lost behind what waits, as it stands now; answers how many rows. Called in a transaction. */
  tellAgain(lane: outbox.StoredLane): number;
}

/**
 * One batch at a time: what the relay has acknowledged is deleted here. What it will not take is set aside, and what it
 * lost and is gone here is said to be absent; both are counted as lost.
 */
export function createLaneSender(
  ctx: Pick<ApplianceContext, 'db' | 'clock' | 'log' | 'metrics' | 'signals'>,
  client: RelayClient,
  { tellAgain }: LaneSenderOptions,
): LaneSender {
  const { db, clock, log, metrics } = ctx;
  const validator = lazily(() => compile(OutboxAnswer));
  /** Of the row each lane begins with. */
  const refusals = new Map<Lane, { seq: number; count: number }>();

  function acknowledge(lane: Lane, through: number): void {
    withTransaction(db, () => outbox.acknowledge(db, lane, through));
  }

  /** The highest number ever given out here. */
  function lastSeq(lane: Lane): number {
    return lane === 'evidence' ? evidence.size(db) : (outbox.lane(db, lane)?.nextSeq ?? 1) - 1;
  }

  /** The relay has more than was ever made here, so what it acknowledges are not these rows. */
  function onAhead(lane: Lane, ackedThrough: number): never {
    const detail = `It has ${ackedThrough} rows, here are ${lastSeq(lane)}`;
    if (lane === 'evidence') throw new RelayFailure({ kind: 'permanent', code: 'EVIDENCE_DIVERGED', detail });
    withTransaction(db, () => outbox.moveBehind(db, lane, ackedThrough));
    log.error({ lane, ackedThrough }, 'the relay has rows this disk does not know: it was set back to an older state');
    throw new RelayFailure({ kind: 'ambiguous', code: 'RELAY_ANSWER_INVALID', detail });
  }

  /** The relay expects another row than ours. Answers how to go on; undefined: not at all. */
  function onGap(lane: Lane, expectedSeq: unknown): { absent?: AbsentRows } | undefined {
    const state = outbox.lane(db, lane);
    if (state === undefined || !Number.isSafeInteger(expectedSeq)) return undefined;
    const expected = expectedSeq as number;
    // It has rows of ours that were acknowledged in an answer we never saw.
    if (expected > state.ackedThrough + 1 && expected <= lastSeq(lane) + 1) {
      acknowledge(lane, expected - 1);
      return {};
    }
    if (expected > state.ackedThrough || expected < 1) return undefined;
    if (lane !== 'evidence') return { absent: absentRows(lane, expected, state.ackedThrough) };
    // Leaves are kept, so evidence can be told again from the start.
    outbox.rewind(db, lane, expected - 1);
    return {};
  }

  /** Rows of the other lanes are gone once they are settled. What the relay had of them and lost is told as it stands now. */
  function absentRows(lane: outbox.StoredLane, fromSeq: number, throughSeq: number): AbsentRows {
    const refused = outbox.countAside(db, lane, fromSeq, throughSeq);
    const lost = throughSeq - fromSeq + 1 - refused;
    if (lost > 0) {
      const told = withTransaction(db, () => {
        const text = `The relay was set back to an older state and lost ${lost} rows of ${lane}. They are told again as they stand.`;
        noteLoss(db, { what: lane, count: lost, code: 'RELAY_SET_BACK', text, atMs: clock.nowMs() });
        return tellAgain(lane);
      });
      ctx.signals.emit('change');
      log.error({ lane, fromSeq, lost, told }, 'the relay lost rows it had acknowledged, telling them again');
    }
    return { fromSeq, refused };
  }

  /** The relay will not take this row. Answers how many rows are settled by that: one when it was refused often enough. */
  function onRefused(lane: outbox.StoredLane, { seq, code }: RefusedRow, failure: RelayFailure): number {
    const before = refusals.get(lane);
    const count = before?.seq === seq ? before.count + 1 : 1;
    refusals.set(lane, { seq, count });
    if (count < REFUSALS_OF_A_ROW) throw failure;
    refusals.delete(lane);
    withTransaction(db, () => {
      const atMs = clock.nowMs();
      outbox.setAside(db, lane, { seq, code, detail: failure.message.slice(0, 1024), atMs });
      const text = `The relay would not take row ${seq} of ${lane}: ${code}. It is kept on the box for 90 days.`;
      noteLoss(db, { what: lane, count: 1, code, text, atMs });
    });
    ctx.signals.emit('change');
    log.error({ lane, seq, code }, 'the relay will not take a row, it is set aside');
    return 1;
  }

  async function post(batch: Batch): Promise<number> {
    const { lane, firstSeq, count, body } = batch;
    const answer = await client.sendJson(
      { method: 'POST', path: BOX_PATHS.outbox, body, contentType: 'application/x-ndjson', timeoutMs: 60_000 },
      validator(),
    );
    if (answer.ackedThrough > lastSeq(lane)) onAhead(lane, answer.ackedThrough);
    // Never beyond what was sent: an answer may not delete what the relay has not seen.
    const through = Math.min(answer.ackedThrough, firstSeq + count - 1);
    if (through < firstSeq) {
      throw new RelayFailure({ kind: 'ambiguous', code: 'RELAY_ANSWER_INVALID', detail: 'It acknowledges nothing' });
    }
    acknowledge(lane, through);
    refusals.delete(lane);
    const settled = through - firstSeq + 1;
    metrics.outboxSent.inc({ lane }, settled);
    return settled;
  }

  async function send(lane: Lane, maxRows: number, absent?: AbsentRows): Promise<number> {
    const state = outbox.lane(db, lane);
    if (state === undefined) return 0;
    const fromSeq = state.ackedThrough + 1;
    const batch = nextBatch(db, { lane, epoch: state.epoch, fromSeq, maxRows, absent });
    if (batch === undefined) return 0;
    try {
      return await post(batch);
    } catch (error) {
      if (!(error instanceof RelayFailure)) throw error;
      const refused = refusedRow(error, batch);
      if (refused !== undefined && lane !== 'evidence') {
        // What stands before it can go.
        const before = refused.seq - fromSeq;
        return before > 0 ? await send(lane, before, absent) : onRefused(lane, refused, error);
      }
      if (error.code !== 'OUTBOX_GAP' || absent !== undefined) throw error;
      const next = onGap(lane, error.data.expectedSeq);
      if (next === undefined) throw error;
      log.warn(
        { lane, fromSeq, expectedSeq: error.data.expectedSeq },
        'the relay stands elsewhere, sending from there',
      );
      return await send(lane, maxRows, next.absent);
    }
  }

  return { send: (lane, maxRows) => send(lane, maxRows) };
}

interface RefusedRow {
  readonly seq: number;
  readonly code: (typeof ROW_CODES)[number];
}

/** The row of this batch that the relay refuses, if it names one. */
function refusedRow(failure: RelayFailure, { firstSeq, count }: Batch): RefusedRow | undefined {
  const { seq } = failure.data;
  const code = ROW_CODES.find((one) => one === failure.code);
  if (code === undefined || typeof seq !== 'number' || !Number.isSafeInteger(seq)) return undefined;
  return seq >= firstSeq && seq < firstSeq + count ? { seq, code } : undefined;
}
