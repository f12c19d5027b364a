import type { Order } from '../api/types.ts';
import { ORDER_STATE } from '../words/work.ts';
import { Tag } from './tag.tsx';
import { TimeAgo } from './time-ago.tsx';

/** Where an order is on its way, and since when. */
export function OrderState({ order }: { order: Order }) {
  return (
    <Tag sign={ORDER_STATE[order.state]} title={order.detail || undefined}>
      <TimeAgo atMs={order.changedAtMs} quiet />
    </Tag>
  );
}
