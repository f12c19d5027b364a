import type { Static, TSchema } from '@sinclair/typebox';
import { isMendingAction, type MendingAction, windowFault, windowOf } from '@sitewarden/agent-proto/actions';
import type { Facts } from '@sitewarden/agent-proto/agent';
import {
  type AgentAction,
  CHECK_NAMES,
  type CheckName,
  canUndoAction,
  checkOf,
  isCheckName,
  minTierOf,
} from '@sitewarden/agent-proto/checks';
import {
  compile,
  isOrderAction,
  ORDER_PARAMS,
  type OrderAction,
  type OrderPayload,
  onDemand,
} from '@sitewarden/agent-proto/http';
import { compareVersions } from '@sitewarden/agent-proto/installers';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { InstallerSet } from '../installers/index.ts';
import { BOX_CHECKS } from '../lib/box-checks.ts';
import { type AgentRecord, byId as agentById, list as listAgents } from '../store/agents.ts';
import { agentOrders, relayOrders } from '../store/index.ts';

/** Why an order is not run although it is genuine. */
export const ORDER_REFUSALS = {
  ORDER_EXPIRED: 'The order reached the box after its time. Give it again.',
  ORDER_AGENT_UNKNOWN: 'This site has no active agent of that id. Look at the list of agents.',
  ORDER_ACTION_UNKNOWN: 'This version of the box does not know the action. Update the appliance.',
  ORDER_PARAMS_INVALID: 'The parameters do not fit the action. Give the order again.',
  ORDER_CHECKS_UNKNOWN: 'None of the named checks is known to this version. Update the appliance.',
  ORDER_WINDOW_UNFIT:
    'The maintenance window is over, too long, or outlives the order. Give it again with another one.',
  UNDO_ORDER_UNKNOWN:
    'The box knows no order of that id, done on this workstation, that can be undone. Undo it by hand.',
  UPDATE_INSTALLER_MISSING:
    'The box has no whole, signed installer of the agent for this operating system. Copy the folder of installers to it.',
  UPDATE_VERSION_MISSING:
    'The installers of the box are of another version. Name theirs, or copy the wanted ones to it.',
  UPDATE_SAME_VERSION: 'The agent has this version already. There is nothing to do.',
  UPDATE_NOT_NEWER: 'The installers of the box are older than this agent. Name their version if that is meant.',
  TIER_TOO_LOW: 'The tier of this workstation does not allow it. Raise the tier, then give the order again.',
} as const;
export type Refusal = keyof typeof ORDER_REFUSALS;

export type OrderPlan =
  /** One order for each agent; `boxChecks`: what the box itself is to look at. */
  | {
      readonly kind: 'ask';
      readonly agents: readonly AgentRecord[];
      readonly action: AgentAction;
      readonly params: Facts;
      readonly boxChecks: readonly string[];
      /** On the box's clock; null: at once. */
      readonly notBeforeMs: number | null;
    }
  | { readonly kind: 'remove'; readonly agentId: string };

export interface PlanCircumstances {
  /** By the relay, by which the order was made. */
  readonly relayNowMs: number;
  /** By the box, by which agents go. */
  readonly nowMs: number;
  /** Of the box, for `update_agent`; undefined: there are none that can be handed out. */
  readonly installers?: InstallerSet | undefined;
}

type Params = Static<(typeof ORDER_PARAMS)['run_check']>;

const fitOf = onDemand((action: OrderAction) => compile<TSchema>(ORDER_PARAMS[action]));

/** What a genuine order leads to. Reads rows and changes none. */
export function planOrder(db: SqliteDatabase, order: OrderPayload, clock: PlanCircumstances): OrderPlan | Refusal {
  if (clock.relayNowMs >= order.expiresAtMs) return 'ORDER_EXPIRED';
  const { action } = order;
  if (!isOrderAction(action)) return 'ORDER_ACTION_UNKNOWN';
  const fit = fitOf(action)(order.params);
  if (!fit.ok) return 'ORDER_PARAMS_INVALID';
  const { agent_id: agentId, checks: asked } = fit.value as Params;
  const agent = agentId === undefined ? undefined : agentById(db, agentId);
  if (action === 'remove_agent') {
    // Also one that was removed on site meanwhile: it is as the order wants it.
    return agent === undefined ? 'ORDER_AGENT_UNKNOWN' : { kind: 'remove', agentId: agent.id };
  }
  if (agentId !== undefined && agent?.state !== 'active') return 'ORDER_AGENT_UNKNOWN';
  const agents = agent === undefined ? listAgents(db) : [agent];
  const ask = { kind: 'ask', agents, boxChecks: [], notBeforeMs: null } as const;
  if (action === 'collect_diagnostics') return { ...ask, action, params: {} };
  if (isMendingAction(action)) {
    return agent === undefined ? 'ORDER_AGENT_UNKNOWN' : planMending(db, { order, action, agent, clock });
  }
  const checks = asked === undefined ? [...CHECK_NAMES] : asked.filter(isCheckName);
  if (checks.length === 0) return 'ORDER_CHECKS_UNKNOWN';
  const isBoxAsked = agentId === undefined && BOX_CHECKS.some((check) => checks.includes(check));
  return { ...ask, action, params: { checks }, boxChecks: isBoxAsked ? checks : [] };
}

interface Mending {
  readonly order: OrderPayload;
  readonly action: MendingAction;
  readonly agent: AgentRecord;
  readonly clock: PlanCircumstances;
}

function planMending(db: SqliteDatabase, { order, action, agent, clock }: Mending): OrderPlan | Refusal {
  const { agent_id: _agent, ...params } = order.params;
  const ask = { kind: 'ask', agents: [agent], action, boxChecks: [], notBeforeMs: null } as const;
  if (action === 'undo') {
    const undone = undoneOrder(db, order.params);
    if (undone === undefined) return 'UNDO_ORDER_UNKNOWN';
    if (agent.tier < Math.max(minTierOf(action), minTierOf(undone.action))) return 'TIER_TOO_LOW';
    return { ...ask, params: { ...params, order_id: undone.agentOrderId } };
  }
  if (agent.tier < minTierOf(action)) return 'TIER_TOO_LOW';
  if (action === 'update_agent') {
    const refusal = updateRefusal(agent, order.params, clock.installers);
    if (refusal !== undefined) return refusal;
  }
  const window = windowOf(params);
  if (window === undefined) return { ...ask, params };
  const isDryRun = params.dry_run === true;
  const latestEndMs = isDryRun ? window.endMs : order.expiresAtMs;
  if (windowFault(window, { nowMs: clock.relayNowMs, latestEndMs }) !== undefined) return 'ORDER_WINDOW_UNFIT';
  const shiftMs = clock.nowMs - clock.relayNowMs;
  const startMs = Math.max(0, window.startMs + shiftMs);
  return {
    ...ask,
    params: { ...params, window_start_ms: startMs, window_end_ms: window.endMs + shiftMs },
    notBeforeMs: isDryRun || startMs <= clock.nowMs ? null : startMs,
  };
}

const TARGETS_OF: Readonly<Record<string, string>> = { windows: 'win-', linux: 'linux-' };

/**
 * What is plain from here. The agent judges again by what it downloads: only it knows its processor, and whose signature
 * it believes.
 */
function updateRefusal(
  { osFamily, agentVersion }: AgentRecord,
  { version: named }: Facts,
  installers: InstallerSet | undefined,
): Refusal | undefined {
  const prefix = TARGETS_OF[osFamily];
  const isThere = prefix !== undefined && installers?.files.some(({ target }) => target.startsWith(prefix));
  if (!isThere || installers?.signature === undefined) return 'UPDATE_INSTALLER_MISSING';
  if (named !== undefined && named !== installers.version) return 'UPDATE_VERSION_MISSING';
  if (agentVersion === installers.version) return 'UPDATE_SAME_VERSION';
  const isOlder = (compareVersions(installers.version, agentVersion) ?? 1) < 0;
  return named === undefined && isOlder ? 'UPDATE_NOT_NEWER' : undefined;
}

/** The agent's own order that an order of staff led to, if it changed something that can be put back. */
function undoneOrder(db: SqliteDatabase, { agent_id: agentId, order_id: orderId }: Facts) {
  const order = relayOrders.byId(db, String(orderId));
  const isDone = order?.state === 'done' && order.params.dry_run !== true;
  if (order === undefined || !isDone || !canUndoAction(order.action)) return undefined;
  const given = agentOrders.byRelayOrder(db, order.orderId).find((one) => one.agentId === agentId);
  return given && { action: order.action, agentOrderId: given.id };
}

/** The check whose facts an order for a workstation is about; undefined for orders that mend nothing. */
export function checkOfOrder(db: SqliteDatabase, { action, params }: Pick<OrderPayload, 'action' | 'params'>) {
  if (action !== 'undo') return checkOf(action);
  const undone = relayOrders.byId(db, String(params.order_id));
  return undone && checkOf(undone.action);
}

/** Which workstation an order is for, as evidence names it. */
export function targetOf(
  db: SqliteDatabase,
  order: Pick<OrderPayload, 'action' | 'params'>,
): { agentId: string; host: string; check: CheckName | null } | undefined {
  const { agent_id: agentId } = order.params;
  const agent = typeof agentId === 'string' ? agentById(db, agentId) : undefined;
  return agent && { agentId: agent.id, host: agent.hostname, check: checkOfOrder(db, order) ?? null };
}
