import type { Order } from '../api/types.ts';
import { useRelayTime } from '../clock/use-relay-time.ts';
import { waitsForWindow } from '../words/repairs.ts';
import { ORDER_STATE, WAITS_FOR_WINDOW } from '../words/work.ts';
import { Tag } from './tag.tsx';
import { TimeAgo } from './time-ago.tsx';

/** Where an order is on its way, and since when. */
export function OrderState({ order }: { order: Order }) {
  const isLater = useRelayTime((nowMs) => nowMs !== null && waitsForWindow(order, nowMs));
  return (
    <Tag sign={isLater ? WAITS_FOR_WINDOW : ORDER_STATE[order.state]} title={order.detail || undefined}>
      <TimeAgo atMs={order.changedAtMs} quiet />
    </Tag>
  );
}
