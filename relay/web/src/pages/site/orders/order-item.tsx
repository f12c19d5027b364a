import type { ReactNode } from 'react';
import type { Order } from '../../../api/types.ts';
import { useRelayTime } from '../../../clock/use-relay-time.ts';
import { Actor } from '../../../components/actor.tsx';
import { Disclosure } from '../../../components/disclosure.tsx';
import { FactsList } from '../../../components/facts.tsx';
import { FactsCompare } from '../../../components/facts-compare.tsx';
import { OrderState } from '../../../components/order-state.tsx';
import { Tag } from '../../../components/tag.tsx';
import { TimeAgo } from '../../../components/time-ago.tsx';
import { nextStepWords } from '../../../words/repairs.ts';
import { isOrderOpen, ORDER_STATE, orderTitle } from '../../../words/work.ts';
import css from './orders.module.css';
import { SENDING_ID } from './use-run-check.ts';

interface OrderItemProps {
  order: Order;
  /** Absent where all orders are for one workstation. */
  hostOf?: (agentId: string) => string;
  /** The order that an undo puts back, where it is at hand. */
  undone?: Order | undefined;
  /** What can be done about it. */
  children?: ReactNode;
}

/** One order: what, where it is, who gave it, what became of it and what comes next. */
export function OrderItem({ order, hostOf, undone, children }: OrderItemProps) {
  const agentId = order.params.agent_id;
  const isSending = order.id === SENDING_ID;
  return (
    <li className={css.order} data-order={order.id} data-sending={isSending}>
      <span className={css.what}>
        {orderTitle(order, undone)}
        {order.dryRun && <span className="dim">, dry run</span>}{' '}
        {hostOf && <span className="dim">on {typeof agentId === 'string' ? hostOf(agentId) : 'all agents'}</span>}
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
      <OrderOutcome order={order} />
      {children && <div className={css.by}>{children}</div>}
    </li>
  );
}

/** What was said of it, what comes next, and the facts. */
export function OrderOutcome({ order }: { order: Order }) {
  const next = useRelayTime((nowMs) => (nowMs === null ? '' : nextStepWords(order, nowMs)));
  return (
    <>
      {(order.detail || order.code) && (
        <span className={`small ${css.by}`}>
          {order.detail} {order.code && <code>{order.code}</code>}
        </span>
      )}
      {order.undoneBy && (
        <span className={`small ${css.by}`}>
          <Tag bare sign={{ ...ORDER_STATE[order.undoneBy.state], word: undoWord(order.undoneBy.state) }} />{' '}
          <span className="dim">
            <Actor actor={order.undoneBy.requestedBy} />, <TimeAgo atMs={order.undoneBy.createdAtMs} />
          </span>
        </span>
      )}
      {next && !order.undoneBy && <span className={`dim small ${css.by}`}>{next}</span>}
      {order.before && (
        <div className={css.by}>
          <FactsCompare before={order.before} after={order.after ?? {}} />
        </div>
      )}
      {order.after && !order.before && (
        <div className={css.by}>
          <Disclosure summary="What the agent answered">
            <FactsList facts={order.after} />
          </Disclosure>
        </div>
      )}
    </>
  );
}

const undoWord = (state: Order['state']): string => (state === 'done' ? 'Undone' : 'Is being undone');
