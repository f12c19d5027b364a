import { BOX_PATHS, compile, type Lane, OutboxAnswer } from '@sitewarden/agent-proto/http';
import { withTransaction } from '@sitewarden/kit/sqlite';
import type { ApplianceContext } from '../lib/context.ts';
import { lazily } from '../lib/lazily.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { RelayFailure } from '../lib/relay-failure.ts';
import { evidence, outbox } from '../store/index.ts';
import { nextBatch } from './batch.ts';

export interface LaneSender {
  /** Sends one batch; answers how many rows were settled, 0 when none waits. Rejects with RelayFailure. */
  send(lane: Lane, maxRows: number): Promise<number>;
}

/** One batch at a time: what the relay has acknowledged is deleted here, and nothing else ever is. */
export function createLaneSender(
  ctx: Pick<ApplianceContext, 'db' | 'log' | 'metrics'>,
  client: RelayClient,
): LaneSender {
  const { db, log, metrics } = ctx;
  const validator = lazily(() => compile(OutboxAnswer));

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

  /** The relay expects another row than ours. Answers whether sending from there makes sense. */
  function onGap(lane: Lane, expectedSeq: unknown): boolean {
    const state = outbox.lane(db, lane);
    if (state === undefined || !Number.isSafeInteger(expectedSeq)) return false;
    const expected = expectedSeq as number;
    const through = lastSeq(lane);
    // It has rows of ours that were acknowledged in an answer we never saw.
    if (expected > state.ackedThrough + 1 && expected <= through + 1) {
      acknowledge(lane, expected - 1);
      return true;
    }
    // Leaves are kept, so evidence can be told again from the start; rows of other lanes are gone once acknowledged.
    if (lane === 'evidence' && expected <= state.ackedThrough) {
      outbox.rewind(db, lane, expected - 1);
      return true;
    }
    return false;
  }

  async function send(lane: Lane, maxRows: number): Promise<number> {
    const state = outbox.lane(db, lane);
    if (state === undefined) return 0;
    const fromSeq = state.ackedThrough + 1;
    const batch = nextBatch(db, { lane, epoch: state.epoch, fromSeq, maxRows });
    if (batch === undefined) return 0;
    try {
      const answer = await client.sendJson(
        {
          method: 'POST',
          path: BOX_PATHS.outbox,
          body: batch.body,
          contentType: 'application/x-ndjson',
          timeoutMs: 60_000,
        },
        validator(),
      );
      if (answer.ackedThrough > lastSeq(lane)) onAhead(lane, answer.ackedThrough);
      // Never beyond what was sent: an answer may not delete what the relay has not seen.
      const through = Math.min(answer.ackedThrough, batch.firstSeq + batch.count - 1);
      if (through < fromSeq) {
        throw new RelayFailure({ kind: 'ambiguous', code: 'RELAY_ANSWER_INVALID', detail: 'It acknowledges nothing' });
      }
      acknowledge(lane, through);
      metrics.outboxSent.inc({ lane }, through - fromSeq + 1);
      return through - fromSeq + 1;
    } catch (error) {
      if (!(error instanceof RelayFailure) || error.code !== 'OUTBOX_GAP') throw error;
      if (!onGap(lane, error.data.expectedSeq)) throw error;
      log.warn(
        { lane, fromSeq, expectedSeq: error.data.expectedSeq },
        'the relay stands elsewhere, sending from there',
      );
      return await send(lane, maxRows);
    }
  }

  return { send };
}
