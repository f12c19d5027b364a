import type { Order } from '../../../api/types.ts';
import { Actor } from '../../../components/actor.tsx';
import { Disclosure } from '../../../components/disclosure.tsx';
import { FactsList } from '../../../components/facts.tsx';
import { OrderState } from '../../../components/order-state.tsx';
import { Tag } from '../../../components/tag.tsx';
import { TimeAgo } from '../../../components/time-ago.tsx';
import { actionWords, isOrderOpen } from '../../../words/work.ts';
import css from './orders.module.css';
import { SENDING_ID } from './use-run-check.ts';

interface OrderItemProps {
  order: Order;
  hostOf: (agentId: string) => string;
}

export function OrderItem({ order, hostOf }: OrderItemProps) {
  const agentId = order.params.agent_id;
  const isSending = order.id === SENDING_ID;
  return (
    <li className={css.order} data-sending={isSending}>
      <span className={css.what}>
        {actionWords(order.action)}{' '}
        <span className="dim">on {typeof agentId === 'string' ? hostOf(agentId) : 'all agents'}</span>
      </span>
      {isSending ? <Tag sign={{ tone: 'neutral', icon: 'dots', word: 'Being sent' }} /> : <OrderState order={order} />}
      <span className={`dim small ${css.by}`}>
        <Actor actor={order.requestedBy} />, <TimeAgo atMs={order.createdAtMs} />
        {!isSending && isOrderOpen(order) && (
          <>
            , runs out <TimeAgo atMs={order.expiresAtMs} />
          </>
        )}
      </span>
      {(order.detail || order.code) && (
        <span className={`small ${css.by}`}>
          {order.detail} {order.code && <code>{order.code}</code>}
        </span>
      )}
      {order.after && (
        <div className={css.by}>
          <Disclosure summary="What the agent answered">
            <FactsList facts={order.after} />
          </Disclosure>
        </div>
      )}
    </li>
  );
}
