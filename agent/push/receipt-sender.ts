import type { OrderReceipt } from '@sitewarden/agent-proto/agent';
import type { OrderLog } from '../queue/index.ts';

export interface ReceiptSender {
  pump(): void;
  /** A heartbeat is about to be sent. */
  markHeartbeat(): void;
  /** The oldest heartbeat was answered. */
  heartbeatAnswered(): void;
}

const BATCH = 32;

/**
 * Receipts have no acknowledgement of their own. Messages of a stream arrive in order, so a receipt has arrived once a
 * heartbeat sent after it is answered; until then it is sent again in the next session.
 */
export function createReceiptSender(orders: OrderLog, send: (receipt: OrderReceipt) => void): ReceiptSender {
  let sentThrough = 0;
  /** For each heartbeat under way: the last receipt sent before it. */
  const marks: number[] = [];
  let deliveredThrough = 0;
  return {
    pump() {
      for (;;) {
        const waiting = orders.waiting(sentThrough, BATCH);
        for (const { position, receipt } of waiting) {
          sentThrough = position;
          send(receipt);
        }
        if (waiting.length < BATCH) return;
      }
    },
    markHeartbeat() {
      marks.push(sentThrough);
    },
    heartbeatAnswered() {
      const through = marks.shift() ?? 0;
      if (through <= deliveredThrough) return;
      orders.delivered(through);
      deliveredThrough = through;
    },
  };
}
