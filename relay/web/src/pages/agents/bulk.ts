import type { Order, OrderRequest } from '../../api/types.ts';
import { type Params, waitsForWindow } from '../../words/repairs.ts';
import { isOrderOpen, ORDER_STATE, orderTitle } from '../../words/work.ts';

/** Orders of one run that may be on their way at once: a box fetches 100 at a time, and the relay lists the newest 200. */
export const MAX_OPEN = 100;
/** Requests at once. */
const MAX_SENDING = 4;

export interface Target {
  /** null: one order for all workstations of the site. */
  readonly agentId: string | null;
  readonly host: string;
  readonly state: 'waiting' | 'sending' | 'sent' | 'refused' | 'given_up';
  readonly order: Order | null;
  /** Why the relay took no order. */
  readonly error: string;
}

export interface Bulk {
  readonly action: OrderRequest['action'];
  /** The same for each; absent for what takes none. */
  readonly params?: Params | undefined;
  readonly targets: readonly Target[];
}

export const waitingTarget = (agentId: string | null, host: string): Target => ({
  agentId,
  host,
  state: 'waiting',
  order: null,
  error: '',
});

/** "Restart service front-desk, dry run" */
export const bulkTitle = ({ action, params = {} }: Pick<Bulk, 'action' | 'params'>): string =>
  `${orderTitle({ action, params: params as Order['params'] })}${params.dry_run === true ? ', dry run' : ''}`;

/** Puts in where the orders are now; the same value when nothing moved. */
export function withOrders(bulk: Bulk, orders: readonly Order[]): Bulk {
  const byId = new Map(orders.map((order) => [order.id, order]));
  let hasMoved = false;
  const targets = bulk.targets.map((target) => {
    const now = target.order && byId.get(target.order.id);
    if (!now || now === target.order || (now.state === target.order?.state && now.detail === target.order.detail))
      return target;
    hasMoved = true;
    return { ...target, order: now };
  });
  return hasMoved ? { ...bulk, targets } : bulk;
}

export const withTarget = (bulk: Bulk, index: number, change: Partial<Target>): Bulk => ({
  ...bulk,
  targets: bulk.targets.map((target, at) => (at === index ? { ...target, ...change } : target)),
});

/** What was not sent yet is given up; what was sent goes on. */
export const stopped = (bulk: Bulk): Bulk => ({
  ...bulk,
  targets: bulk.targets.map((target) => (target.state === 'waiting' ? { ...target, state: 'given_up' } : target)),
});

const isOpen = ({ state, order }: Target): boolean =>
  state === 'sending' || (state === 'sent' && order !== null && isOrderOpen(order));

/** The box keeps it until its window: that may be tomorrow, and nobody waits for it at the page. */
const isLater = ({ order }: Target, nowMs: number): boolean => order !== null && waitsForWindow(order, nowMs);

/** The next one to send, or -1: all are sent, or as many as allowed are being sent or on their way. */
export function nextToSend({ targets }: Bulk, nowMs: number): number {
  if (
    targets.filter(({ state }) => state === 'sending').length >= MAX_SENDING ||
    targets.filter((target) => isOpen(target) && !isLater(target, nowMs)).length >= MAX_OPEN
  )
    return -1;
  return targets.findIndex(({ state }) => state === 'waiting');
}

export interface Tally {
  total: number;
  ended: number;
  open: number;
  /** Wait for their window on the box. */
  later: number;
  waiting: number;
  refused: number;
  givenUp: number;
  /** Orders by state. */
  states: Partial<Record<Order['state'], number>>;
}

export function tally({ targets }: Bulk, nowMs: number): Tally {
  const sum: Tally = {
    total: targets.length,
    ended: 0,
    open: 0,
    later: 0,
    waiting: 0,
    refused: 0,
    givenUp: 0,
    states: {},
  };
  for (const target of targets) {
    if (target.state === 'waiting') sum.waiting += 1;
    else if (isLater(target, nowMs)) sum.later += 1;
    else if (isOpen(target)) sum.open += 1;
    else sum.ended += 1;
    if (target.state === 'refused') sum.refused += 1;
    if (target.state === 'given_up') sum.givenUp += 1;
    if (target.order && !isLater(target, nowMs))
      sum.states[target.order.state] = (sum.states[target.order.state] ?? 0) + 1;
  }
  return sum;
}

/** Nothing is to be sent or waited for at the page any more. */
export const isOver = ({ total, ended, later }: Tally): boolean => ended + later === total;

/** "28 done, 2 expired, 1 not taken by the relay". */
export function endWords({ states, later, refused, givenUp }: Tally): string {
  const parts = Object.entries(states).map(
    ([state, count]) => `${count} ${ORDER_STATE[state as Order['state']].word.toLowerCase()}`,
  );
  if (later > 0) parts.push(`${later} wait for their window`);
  if (refused > 0) parts.push(`${refused} not taken by the relay`);
  if (givenUp > 0) parts.push(`${givenUp} not sent`);
  return parts.join(', ');
}
