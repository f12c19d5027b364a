import { BOX_PATHS, type CheckinResponse, PAYLOAD_TYPES } from '@sitewarden/agent-proto/http';
import { rootOf } from '@sitewarden/agent-proto/merkle';
import type { TestBox } from './box.ts';
import { checkinBody } from './sim-box.ts';
import { envelopeOf, SimLog } from './sim-log.ts';

/** A box on the wire that keeps a log and can close it. */
export interface LeavingBox {
  readonly log: SimLog;
  checkin(): Promise<{ status: number; body: CheckinResponse & { code?: string } }>;
  /** Sends what the log has and has it cosigned. */
  deliver(): Promise<void>;
  /** Has what the log has cosigned, and sends none of it. */
  cosignOnly(): Promise<void>;
  /** Says that the log is closed. */
  word(
    releaseId: string,
    over?: { size?: number },
  ): Promise<{ status: number; body: { code?: string; receipt?: string } }>;
}

export function leavingBox(box: TestBox, at: { host: string; applianceId: string; epoch?: number }): LeavingBox {
  const { host, applianceId, epoch = 1 } = at;
  const log = new SimLog(`${host}/a/${applianceId}/${epoch}`, box.evkPrivate);
  let token: string | null = null;
  let counter = 0;
  let delivered = 0;
  let cosigned = 0;
  const must = (what: string, { status, body }: { status: number; body: unknown }) => {
    if (status !== 200) throw new Error(`${what} answered ${status} ${JSON.stringify(body)}`);
  };
  async function cosignNews(): Promise<void> {
    const checkpoint = log.addCheckpoint(cosigned);
    must('checkpoint', await box.send(BOX_PATHS.checkpoint, { raw: checkpoint, contentType: 'text/plain' }));
    cosigned = log.size;
  }
  return {
    log,
    cosignOnly: cosignNews,
    async checkin() {
      counter += 1;
      const body = checkinBody({ counter, previousToken: token });
      const answer = await box.send<CheckinResponse & { code?: string }>(BOX_PATHS.checkin, { body });
      if (answer.status === 200) token = answer.body.token;
      return answer;
    },
    async deliver() {
      const raw = outboxOf(log, { from: delivered, epoch });
      must('outbox', await box.send(BOX_PATHS.outbox, { raw, contentType: 'application/x-ndjson' }));
      delivered = log.size;
      await cosignNews();
    },
    word(releaseId, { size = log.size } = {}) {
      const payload = {
        releaseId,
        applianceId,
        epoch,
        size,
        rootHash: Buffer.from(rootOf(log.leaves, size)).toString('hex'),
        closedAtMs: Date.now(),
      };
      const released = envelopeOf(box.dikPrivate, PAYLOAD_TYPES.released, payload).toString('latin1');
      return box.send(BOX_PATHS.released, { body: { released } });
    },
  };
}

function outboxOf(log: SimLog, { from, epoch }: { from: number; epoch: number }): Buffer {
  const body = log.batch(from).toString('latin1');
  return Buffer.from(body.replace('"epoch":1', `"epoch":${epoch}`), 'latin1');
}
