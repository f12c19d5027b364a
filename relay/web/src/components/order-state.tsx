import type { Order } from '../api/types';
import { ORDER_STATE } from '../words/work';
import { Tag } from './tag';
import { TimeAgo } from './time-ago';

/** Where an order is on its way, and since when. */
export function OrderState({ order }: { order: Order }) {
  return (
    <Tag sign={ORDER_STATE[order.state]} title={order.detail || undefined}>
      <TimeAgo atMs={order.changedAtMs} quiet />
    </Tag>
  );
}
