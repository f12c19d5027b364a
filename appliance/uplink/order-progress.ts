import { isMendingAction } from '@sitewarden/agent-proto/actions';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { type CheckName, onlyDiagnostics, onlyVersion } from '@sitewarden/agent-proto/checks';
import { onlyClosedFacts } from '@sitewarden/agent-proto/evidence';
import type { OrderState } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { withTransaction } from '@sitewarden/kit/sqlite';
import type { ApplianceContext } from '../lib/context.ts';
import { createLoop } from '../lib/loop.ts';
import { runsOnMs } from '../lib/runs-on.ts';
import { agentOrders, changes, relayOrders } from '../store/index.ts';
import { checkOfOrder, ORDER_REFUSALS, targetOf } from './plan-order.ts';

/** The last receipt may be under way when an order's time is over. */
const GRACE_MS = 5000;
/** The repair is over, and somebody waits to see that it helped. */
const RECHECK_EXPIRES_MS = 5 * 60_000;

type EndState = Extract<OrderState, 'done' | 'failed' | 'refused' | 'expired' | 'indeterminate'>;
type Answered = Pick<agentOrders.AgentOrderRecord, 'state' | 'code' | 'detail' | 'after'> &
  Partial<Pick<agentOrders.AgentOrderRecord, 'before' | 'action'>>;

export interface AnswerEnd extends OrderEnd {
  /** Code and detail are the agent's own. */
  readonly isAnswer?: true;
  readonly before?: Facts;
  readonly after?: Facts;
}

/**
 * What an agent did to an order that was for it alone, in its own words; undefined while it is open. `check`: whose facts
 * it answers with; undefined: with those of DIAGNOSTICS.
 */
export function answerEnd(order: Answered | undefined, check?: CheckName): AnswerEnd | undefined {
  if (order === undefined) return orderEnd([], 'not_asked');
  const { state, code, detail, before, after } = order;
  const isUpdate = order.action === 'update_agent';
  const close = isUpdate ? onlyVersion : check && ((facts: Facts) => onlyClosedFacts(facts, check));
  const facts = close && { ...(before && { before: close(before) }), ...(after && { after: close(after) }) };
  switch (state) {
    case 'queued':
    case 'delivered':
    case 'started':
      return undefined;
    case 'done':
      if (isUpdate) return { state, code: null, detail: detail || 'The agent is updated.', isAnswer: true, ...facts };
      return check === undefined
        ? { state, code: null, detail: 'The agent has answered', after: onlyDiagnostics(after ?? {}) }
        : { state, code: null, detail: detail || 'A look afterwards proves it.', isAnswer: true, ...facts };
    case 'expired':
      return { state, code: 'AGENTS_NOT_CONNECTED', detail: NOT_CONNECTED };
    case 'indeterminate':
      return {
        state,
        code: 'AGENT_WENT_SILENT',
        detail: 'The agent began and was not heard of again. Give the order again.',
      };
    default: {
      const words = code === null ? undefined : BOX_ENDS[code];
      if (words !== undefined && !detail) return { state, code, detail: words };
      return {
        // AGENT/1 has no word of its own for an agent that was stopped in the middle.
        state: code === 'INDETERMINATE' ? 'indeterminate' : state,
        code: code ?? 'AGENTS_FAILED',
        detail: detail || 'The agent did not answer. Look at the agent itself.',
        isAnswer: true,
        ...facts,
      };
    }
  }
}

/** The box ends an order by itself, without a word of the agent, when its tier is lowered or it is removed meanwhile. */
const BOX_ENDS: Readonly<Record<string, string>> = {
  TIER_TOO_LOW: ORDER_REFUSALS.TIER_TOO_LOW,
  AGENT_REMOVED: 'The agent was removed before it answered. Enrol it anew, then give the order again.',
};

const NOT_CONNECTED = 'The agent was not connected in time. Start it and give the order again.';

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

  /** By it those that were told before are left alone. What a new session is given it reads itself. */
  let toldMs = 0;

  function dueOrders(nowMs: number): agentOrders.AgentOrderRecord[] {
    return agentOrders
      .listDue(db, nowMs - GRACE_MS)
      .filter(
        ({ state, action, expiresAtMs }) => state !== 'started' || expiresAtMs + runsOnMs(action) + GRACE_MS <= nowMs,
      );
  }

  function endDue(nowMs: number): string[] {
    return dueOrders(nowMs).map(({ id, agentId, state }) => {
      const to = state === 'started' ? 'indeterminate' : 'expired';
      const code = state === 'started' ? 'AGENT_WENT_SILENT' : 'AGENT_NOT_CONNECTED';
      agentOrders.move(db, { id, state: to, code, atMs: nowMs });
      return agentId;
    });
  }

  function endRelayOrders(nowMs: number): { ended: number; asked: string[] } {
    let ended = 0;
    const asked: string[] = [];
    for (const order of relayOrders.listOpen(db)) {
      const given = agentOrders.byRelayOrder(db, order.orderId);
      const check = checkOfOrder(db, order);
      const end =
        order.action === 'collect_diagnostics' || isMendingAction(order.action)
          ? answerEnd(given[0], check)
          : orderEnd(
              given.map(({ state }) => state),
              boxPart(order, nowMs),
            );
      if (end === undefined) continue;
      const { state, code, detail, ...answer }: AnswerEnd = end;
      const row = { ...order, state, code, detail, changedAtMs: nowMs };
      relayOrders.move(db, row);
      const body = { ...relayOrders.toChange(row, state, targetOf(db, order)), ...answer };
      changes.append(db, { kind: 'order_finished', refId: order.orderId, body, atMs: nowMs });
      log.info({ orderId: order.orderId, state }, 'order finished');
      ended += 1;
      const agentId = given[0]?.agentId;
      if (state === 'done' && check !== undefined && agentId !== undefined && order.params.dry_run !== true) {
        askAgain({ order, agentId, check, nowMs });
        asked.push(agentId);
      }
    }
    return { ended, asked };
  }

  /** The incident it was about ends by a fresh check, never by the word of the repair. In the commit that ends the order. */
  function askAgain(wish: { order: relayOrders.RelayOrderRecord; agentId: string; check: CheckName; nowMs: number }) {
    const { order, agentId, check, nowMs } = wish;
    agentOrders.insert(db, {
      id: newId('ord'),
      agentId,
      action: 'run_check',
      params: { checks: [check] },
      actionRunId: null,
      relayOrderId: null,
      requestedBy: order.requestedBy,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + RECHECK_EXPIRES_MS,
    });
  }

  /** Orders whose window has begun: to the agents that are connected. */
  function tellNowDue(nowMs: number): void {
    const agentIds = agentOrders.agentsNowDue(db, { sinceMs: toldMs, nowMs });
    toldMs = nowMs;
    for (const agentId of agentIds) signals.emit('agentOrder', { agentId });
  }

  const loop = createLoop({
    name: 'orders',
    log,
    turn() {
      const nowMs = clock.nowMs();
      tellNowDue(nowMs);
      if (dueOrders(nowMs).length === 0 && relayOrders.listOpen(db).length === 0) return false;
      const { agentIds, ended } = withTransaction(db, () => {
        const due = endDue(nowMs);
        const relay = endRelayOrders(nowMs);
        return { agentIds: [...due, ...relay.asked], ended: relay.ended };
      });
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
