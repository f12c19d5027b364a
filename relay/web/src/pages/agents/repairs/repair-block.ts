import type { Agent, Order, Tier } from '../../../api/types.ts';
import { REPAIRS, type RepairAction, unfitFor } from '../../../words/repairs.ts';
import { TIERS } from '../../../words/work.ts';

export type TierFrom = Agent['tierFrom'];

/** Why a repair is not offered now. `tierFrom`: where to raise the tier; null: the tier is not the reason, or is raised. */
export interface Block {
  readonly reason: string;
  readonly tierFrom: TierFrom | null;
}

export const SET_BY: Record<TierFrom, string> = {
  agent: 'by its own setting',
  group: 'by the tier of its group',
  site: 'by the tier of the site',
};

type Workstation = Pick<Agent, 'tier' | 'wantedTier' | 'tierFrom' | 'osFamily'>;

/** As the relay would judge, so that nobody presses a button that is refused; undefined: it would be taken. */
export function blockOf(action: RepairAction, agent: Workstation, undone?: string): Block | undefined {
  const unfit = unfitFor(action, agent);
  if (unfit !== undefined) return { reason: unfit, tierFrom: null };
  const ofUndone = undone !== undefined && Object.hasOwn(REPAIRS, undone) ? REPAIRS[undone as RepairAction].minTier : 0;
  const needed = Math.max(REPAIRS[action].minTier, ofUndone) as Tier;
  if (agent.wantedTier < needed) {
    return {
      reason: `Needs ${TIERS[needed].name}; this workstation is on ${TIERS[agent.wantedTier].name} ${SET_BY[agent.tierFrom]}.`,
      tierFrom: agent.tierFrom,
    };
  }
  if (agent.tier < needed) {
    return {
      reason: `${TIERS[needed].name} is set; the box still goes by ${TIERS[agent.tier].name}. It takes the new one over at its next contact.`,
      tierFrom: null,
    };
  }
  return undefined;
}

/** Older ones are not shown beside a check: the list of orders has them. */
const RECENT_MS = 24 * 3_600_000;

export interface OrderWish {
  readonly agentId: string;
  readonly action: RepairAction;
  /** Of a service: only orders for this one. */
  readonly service?: string | undefined;
}

/** Of a list, newest first: what became of this repair lately, and which of its orders could be put back. */
export function latestOf(
  orders: readonly Order[],
  { agentId, action, service }: OrderWish,
  nowMs: number,
): { last: Order | undefined; undoable: Order | undefined; undo: Order | undefined } {
  const own = orders.filter(
    (order) =>
      order.agentId === agentId &&
      order.action === action &&
      (service === undefined || order.params.service === service) &&
      nowMs - order.createdAtMs < RECENT_MS,
  );
  const [last] = own;
  // Only the newest change can be put back in good sense: an older one would undo it too.
  const undoable = own.find(({ dryRun, state }) => !dryRun && state === 'done');
  const undo = orders.find((order) => order.action === 'undo' && own.some(({ id }) => id === order.params.order_id));
  return { last, undoable: undoable?.canUndo ? undoable : undefined, undo };
}
