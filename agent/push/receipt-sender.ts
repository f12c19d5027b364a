import type { OrderReceipt } from '@sitewarden/agent-proto/agent';
import type { OrderLog } from '../queue/index.ts';

export interface ReceiptSender {
  pump(): void;
  /** A heartbeat is about to be sent. */
  markHeartbeat(): void;
  /** The oldest heartbeat was answered. */
  heartbeatAnswered(): void;
  /** Positions sent and not known to have arrived, oldest first. */
  readonly undelivered: readonly number[];
}

/**
 * Receipts have no acknowledgement of their own. Messages of a stream arrive in order, so a receipt has arrived once a
 * heartbeat sent after it is answered; until then it is sent again in the next session. At most `window` are under way.
 */
export function createReceiptSender(
  orders: OrderLog,
  { window, send }: { window: number; send: (receipt: OrderReceipt) => void },
): ReceiptSender {
  let sentThrough = 0;
  /** For each heartbeat under way: the last receipt sent before it. */
  const marks: number[] = [];
  const undelivered: number[] = [];

  function pump(): void {
    while (undelivered.length < window) {
      const waiting = orders.waiting(sentThrough, window - undelivered.length);
      if (waiting.length === 0) return;
      for (const { position, receipt } of waiting) {
        sentThrough = position;
        undelivered.push(position);
        send(receipt);
      }
    }
  }

  return {
    undelivered,
    pump,
    markHeartbeat() {
      marks.push(sentThrough);
    },
    heartbeatAnswered() {
      const through = marks[0] ?? 0;
      if (undelivered.length > 0 && undelivered[0]! <= through) orders.delivered(through);
      marks.shift();
      if (undelivered.length === 0 || undelivered[0]! > through) return;
      while (undelivered.length > 0 && undelivered[0]! <= through) undelivered.shift();
      pump();
    },
  };
}
