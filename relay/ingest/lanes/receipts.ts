import { parseCanonical } from '@sitewarden/agent-proto/canonical';
import { decodeEnvelope, verifyEnvelopeAsync } from '@sitewarden/agent-proto/dsse';
import { compile, PAYLOAD_TYPES, ReceiptPayload } from '@sitewarden/agent-proto/http';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { relayErrors } from '../../errors.ts';
import { nextOrderState } from '../../orders/index.ts';
import { lockOrder, saveOrderState } from '../../store/repositories/orders.ts';
import type { LaneHandler } from '../types.ts';

/** What became of orders, signed by the box. A receipt moves its order forward or not at all. */
export function createReceiptsLane(): LaneHandler {
  const validate = compile(ReceiptPayload);

  async function read(dik: ReturnType<typeof publicKeyFromRaw>, bytes: Buffer, seq: number): Promise<ReceiptPayload> {
    try {
      const envelope = decodeEnvelope(bytes);
      if (envelope.payloadType !== PAYLOAD_TYPES.receipt) throw invalid(seq, 'is not a receipt');
      const result = validate(parseCanonical(await verifyEnvelopeAsync(envelope, dik)));
      if (!result.ok) throw invalid(seq, `${result.field} ${result.detail}`);
      return result.value;
    } catch (error) {
      throw relayErrors.is(error) ? error : invalid(seq, (error as Error).message);
    }
  }

  return {
    changes: ['orders'],
    async prepare(box, batch) {
      const dik = publicKeyFromRaw(box.dik);
      const receipts = await Promise.all(batch.rows.map((bytes, index) => read(dik, bytes, batch.firstSeq + index)));
      return {
        async apply(trx, place, { ackedThrough, nowMs }) {
          for (let index = ackedThrough + 1 - batch.firstSeq; index < receipts.length; index += 1) {
            const receipt = receipts[index] as ReceiptPayload;
            const seq = batch.firstSeq + index;
            const { applianceId, epoch } = place;
            if (receipt.applianceId !== applianceId || receipt.epoch !== epoch) {
              throw invalid(seq, 'belongs to another appliance or epoch');
            }
            const order = await lockOrder(trx, { orderId: receipt.orderId, applianceId });
            if (order === undefined || order.epoch !== epoch || order.seq !== receipt.orderSeq) {
              throw invalid(seq, 'names an order this appliance does not have');
            }
            const state = nextOrderState(order.state, receipt.state);
            if (state === order.state) continue;
            const { orderId, code, detail } = receipt;
            await saveOrderState(trx, { orderId, state, code, detail, atMs: nowMs });
          }
        },
      };
    },
  };
}

function invalid(seq: number, detail: string): Error {
  return relayErrors.make('RECEIPT_INVALID', { detail: `Row ${seq} ${detail}`, data: { seq } });
}
