import { useQuery } from '@tanstack/react-query';
import { agentsQuery, ordersQuery } from '../../../api/queries/site.ts';
import { EmptyState } from '../../../components/empty-state.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { ShortList } from '../../../components/short-list.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { UndoOrder } from '../../agents/repairs/undo-order.tsx';
import { OrderItem } from './order-item.tsx';
import css from './orders.module.css';
import { useSpokenOrders } from './use-spoken-orders.ts';

export function OrdersSection({ siteId }: { siteId: string }) {
  const orders = useQuery(ordersQuery(siteId));
  const agents = useQuery(agentsQuery(siteId));
  useSpokenOrders(orders.data?.orders);
  const agentOf = (agentId: string | null) => agents.data?.agents.find((agent) => agent.id === agentId);
  const hostOf = (agentId: string) => agentOf(agentId)?.hostname ?? agentId;
  return (
    <Section id="orders" title="Orders">
      <Loaded query={orders} what="The orders" skeleton={<RowsSkeleton rows={2} />}>
        {(list) =>
          list.orders.length === 0 ? (
            <EmptyState small icon="play" title="No order was given yet">
              “Run check” gives the box an order; its way there and back is shown here.
            </EmptyState>
          ) : (
            <ShortList items={list.orders} shown={5} noun="order">
              {(shown) => (
                <ul className={css.list}>
                  {shown.map((order) => (
                    <OrderItem
                      key={order.id}
                      order={order}
                      hostOf={hostOf}
                      undone={list.orders.find(({ id }) => id === order.params.order_id)}
                    >
                      <UndoOrder siteId={siteId} agent={agentOf(order.agentId)} order={order} />
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
