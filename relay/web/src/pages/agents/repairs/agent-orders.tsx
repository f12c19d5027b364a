import { useQuery } from '@tanstack/react-query';
import { ordersQuery } from '../../../api/queries/site.ts';
import type { Agent } from '../../../api/types.ts';
import { plural } from '../../../clock/format.ts';
import { EmptyState } from '../../../components/empty-state.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { ShortList } from '../../../components/short-list.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { isOrderOpen } from '../../../words/work.ts';
import { OrderItem } from '../../site/orders/order-item.tsx';
import orderCss from '../../site/orders/orders.module.css';
import { useSpokenOrders } from '../../site/orders/use-spoken-orders.ts';
import { UndoOrder } from './undo-order.tsx';

/** What was asked of this workstation, and what became of it. */
export function AgentOrders({ siteId, agent }: { siteId: string; agent: Agent }) {
  const orders = useQuery(ordersQuery(siteId));
  const own = orders.data?.orders.filter(({ agentId }) => agentId === agent.id) ?? [];
  useSpokenOrders(orders.data && own);
  const open = own.filter(isOrderOpen).length;
  return (
    <Section
      id="orders"
      title="Orders for this workstation"
      aside={own.length > 0 && `${plural(own.length, 'order')}${open > 0 ? `, ${open} not ended` : ''}`}
    >
      <Loaded query={orders} what="The orders" skeleton={<RowsSkeleton rows={2} />}>
        {(list) =>
          own.length === 0 ? (
            <EmptyState small icon="wrench" title="Nothing was ordered lately">
              None of the newest {plural(Math.max(list.orders.length, 1), 'order')} of this site is for this workstation
              alone. A repair beside a failing check, or “Run check”, gives one.
            </EmptyState>
          ) : (
            <ShortList items={own} shown={5} noun="order">
              {(shown) => (
                <ul className={orderCss.list}>
                  {shown.map((order) => (
                    <OrderItem
                      key={order.id}
                      order={order}
                      undone={list.orders.find(({ id }) => id === order.params.order_id)}
                    >
                      <UndoOrder siteId={siteId} agent={agent} order={order} />
                    </OrderItem>
                  ))}
                </ul>
              )}
            </ShortList>
          )
        }
      </Loaded>
    </Section>
  );
}
