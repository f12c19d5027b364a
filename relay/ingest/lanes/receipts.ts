import type { KeyObject } from 'node:crypto';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { parseCanonical } from '@sitewarden/agent-proto/canonical';
import { type CheckName, checkOf, onlyDiagnostics, onlyVersion } from '@sitewarden/agent-proto/checks';
import { decodeEnvelope, verifyEnvelopeAsync } from '@sitewarden/agent-proto/dsse';
import { onlyClosedFacts } from '@sitewarden/agent-proto/evidence';
import { compile, PAYLOAD_TYPES, ReceiptPayload } from '@sitewarden/agent-proto/http';
import { fingerprint, publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { relayErrors } from '../../errors.ts';
import { nextOrderState } from '../../orders/index.ts';
import type { Tx } from '../../store/index.ts';
import { retiredKeys } from '../../store/repositories/box-keys.ts';
import { lockOrder, readOrder, saveOrderState } from '../../store/repositories/orders.ts';
import type { LaneDeps, LaneHandler } from '../types.ts';

/** What became of orders, signed by the box. A receipt moves its order forward or not at all. */
export function createReceiptsLane({ store }: LaneDeps): LaneHandler {
  const validate = compile(ReceiptPayload);

  async function read(keys: ReadonlyMap<string, KeyObject>, bytes: Buffer, seq: number): Promise<ReceiptPayload> {
    try {
      const envelope = decodeEnvelope(bytes);
      if (envelope.payloadType !== PAYLOAD_TYPES.receipt) throw invalid(seq, 'is not a receipt');
      const dik = keys.get(envelope.keyId);
      if (dik === undefined) throw invalid(seq, 'is signed by a key this appliance never had');
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
      // A receipt may have waited in the box while its key was replaced.
      const retired = await store.inTenant(box.partnerId, (trx) => retiredKeys(trx, box.applianceId));
      const keys = new Map([box.dik, ...retired].map((key) => [fingerprint(key), publicKeyFromRaw(key)]));
      const receipts = await Promise.all(batch.rows.map((bytes, index) => read(keys, bytes, batch.firstSeq + index)));
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
            const check = await checkOfOrder(trx, order);
            const { before, after } = answerOf(order.action, check, receipt);
            await saveOrderState(trx, { orderId, state, code, detail, before, after, atMs: nowMs });
          }
        },
      };
    },
  };
}

/** Whose facts an order can be answered with: those of an undo are of what it puts back. */
async function checkOfOrder(trx: Tx, order: { action: string; undoes: string | null; siteId: string }) {
  if (order.undoes === null) return checkOf(order.action);
  const undone = await readOrder(trx, { siteId: order.siteId, orderId: order.undoes });
  return undone && checkOf(undone.action);
}

interface Answer {
  readonly before: string | null;
  readonly after: string | null;
}

/** Kept only of what was asked for, and of that only the closed set: a box could send anything. */
function answerOf(action: string, check: CheckName | undefined, { before, after }: ReceiptPayload): Answer {
  if (action === 'collect_diagnostics') {
    return { before: null, after: after === undefined ? null : JSON.stringify(onlyDiagnostics(after)) };
  }
  if (action === 'update_agent') {
    const version = (facts: Facts | undefined) => (facts === undefined ? null : JSON.stringify(onlyVersion(facts)));
    return { before: version(before), after: version(after) };
  }
  const kept = (facts: Facts | undefined) =>
    facts === undefined || check === undefined ? null : JSON.stringify(onlyClosedFacts(facts, check));
  return { before: kept(before), after: kept(after) };
}

function invalid(seq: number, detail: string): Error {
  return relayErrors.make('RECEIPT_INVALID', { detail: `Row ${seq} ${detail}`, data: { seq } });
}
