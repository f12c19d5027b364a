import { useEffect, useRef } from 'react';
import type { Order } from '../../../api/types.ts';
import { useAnnounce } from '../../../layout/announcer.tsx';
import { ORDER_STATE, orderTitle } from '../../../words/work.ts';

/** A screen reader hears when an order reaches another state. */
export function useSpokenOrders(orders: Order[] | undefined): void {
  const announce = useAnnounce();
  const before = useRef(new Map<string, Order['state']>());
  useEffect(() => {
    if (!orders) return;
    const moved = orders.find((order) => (before.current.get(order.id) ?? order.state) !== order.state);
    if (moved) announce(`${orderTitle(moved)}${moved.dryRun ? ', dry run' : ''}: ${ORDER_STATE[moved.state].word}.`);
    before.current = new Map(orders.map((order) => [order.id, order.state]));
  }, [orders, announce]);
}
