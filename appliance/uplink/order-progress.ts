import type { OrderState } from '@sitewarden/agent-proto/http';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { withTransaction } from '@sitewarden/kit/sqlite';
import type { ApplianceContext } from '../lib/context.ts';
import { createLoop } from '../lib/loop.ts';
import { agentOrders, changes, relayOrders } from '../store/index.ts';

/** The last receipt may be under way when an order's time is over. */
const GRACE_MS = 5000;

type EndState = Extract<OrderState, 'done' | 'failed' | 'refused' | 'expired' | 'indeterminate'>;

export interface OrderEnd {
  readonly state: EndState;
  readonly code: string | null;
  readonly detail: string;
}

/** Of the box's own look: `missed` when the time of the order ended before it was stored. */
export type BoxPart = 'not_asked' | 'wanted' | 'done' | 'missed';

const BOX_WORDS = {
  not_asked: '',
  wanted: '',
  done: 'The box has checked itself; ',
  missed: 'The box did not check itself; ',
};

/** Pure: what a relay order has come to, given its agents' orders and the box's own look; undefined while one is open. */
export function orderEnd(states: readonly OrderState[], box: BoxPart): OrderEnd | undefined {
  if (box === 'wanted') return undefined;
  if (states.some((state) => state === 'queued' || state === 'delivered' || state === 'started')) return undefined;
  const count = (state: OrderState) => states.filter((one) => one === state).length;
  const done = count('done');
  const isAllDone = done === states.length;
  const agentWords =
    states.length === 0 ? 'this site has no agents' : `${done} of ${states.length} agents have run their checks`;
  const detail = `${BOX_WORDS[box]}${agentWords}`;
  if (states.length === 0 && box === 'not_asked') {
    const what = 'Nothing was looked at: this site has no agents, and the box itself has none of these checks.';
    return { state: 'failed', code: 'NOTHING_TO_LOOK_AT', detail: `${what} Enrol an agent and give the order again.` };
  }
  if (isAllDone && box !== 'missed') return { state: 'done', code: null, detail };
  if (isAllDone && done === 0) {
    return { state: 'failed', code: 'BOX_DID_NOT', detail: `${detail}. Look at the page of the box.` };
  }
  if (isAllDone) return { state: 'done', code: 'BOX_DID_NOT', detail };
  // The look of the box alone is not what was asked for where there are workstations.
  if (done > 0) return { state: 'done', code: 'SOME_AGENTS_DID_NOT', detail };
  if (count('expired') === states.length) {
    return {
      state: 'expired',
      code: 'AGENTS_NOT_CONNECTED',
      detail: `${detail}. Start them and give the order again.`,
    };
  }
  if (count('indeterminate') > 0) return { state: 'indeterminate', code: 'AGENT_WENT_SILENT', detail };
  return { state: 'failed', code: 'AGENTS_FAILED', detail: `${detail}. Look at the agents themselves.` };
}

function boxPart({ boxCheck, expiresAtMs }: relayOrders.RelayOrderRecord, nowMs: number): BoxPart {
  if (boxCheck === null) return 'not_asked';
  if (boxCheck === 'wanted' && expiresAtMs + GRACE_MS <= nowMs) return 'missed';
  return boxCheck;
}

/** Ends agents' orders whose time is over, and relay orders whose agents' orders have all ended. */
export function createOrderProgress(ctx: ApplianceContext): LifecyclePart {
  const { db, clock, log, signals } = ctx;

  function endDue(nowMs: number): string[] {
    return agentOrders.listDue(db, nowMs - GRACE_MS).map(({ id, agentId, state }) => {
      const to = state === 'started' ? 'indeterminate' : 'expired';
      const code = state === 'started' ? 'AGENT_WENT_SILENT' : 'AGENT_NOT_CONNECTED';
      agentOrders.move(db, { id, state: to, code, atMs: nowMs });
      return agentId;
    });
  }

  function endRelayOrders(nowMs: number): number {
    let ended = 0;
    for (const order of relayOrders.listOpen(db)) {
      const states = agentOrders.byRelayOrder(db, order.orderId).map(({ state }) => state);
      const end = orderEnd(states, boxPart(order, nowMs));
      if (end === undefined) continue;
      const row = { ...order, ...end, changedAtMs: nowMs };
      relayOrders.move(db, row);
      const body = relayOrders.toChange(row, end.state);
      changes.append(db, { kind: 'order_finished', refId: order.orderId, body, atMs: nowMs });
      log.info({ orderId: order.orderId, state: end.state }, 'order finished');
      ended += 1;
    }
    return ended;
  }

  const loop = createLoop({
    name: 'orders',
    log,
    turn() {
      const nowMs = clock.nowMs();
      if (agentOrders.listDue(db, nowMs - GRACE_MS).length === 0 && relayOrders.listOpen(db).length === 0) return false;
      const { agentIds, ended } = withTransaction(db, () => ({
        agentIds: endDue(nowMs),
        ended: endRelayOrders(nowMs),
      }));
      for (const agentId of new Set(agentIds)) signals.emit('agentOrder', { agentId });
      if (ended > 0) signals.emit('change');
      return false;
    },
  });
  let off: (() => void)[] = [];
  return {
    name: 'orders',
    start() {
      // The end of an order is told at once; the loop's own pace is for what ends by time.
      off = [signals.on('agentOrder', loop.wake), signals.on('boxChecked', loop.wake)];
      loop.start();
    },
    async stop() {
      for (const leave of off) leave();
      await loop.stop();
    },
  };
}
