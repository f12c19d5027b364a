import { type ActionParams, type MendingAction, validateActionParams } from '@sitewarden/agent-proto/actions';
import type { Facts } from '@sitewarden/agent-proto/agent';
import type { CheckName, TierNumber } from '@sitewarden/agent-proto/checks';
import type { SiteConfig } from '../site/index.ts';
import type { Action, ActionContext, Refusal, Sight } from './actions/types.ts';
import { carryOut, notPossible, type Plan } from './plan.ts';

/** An action that looks, plans and proves. A restart has nothing to look for first: it is wanted of a service that runs too. */
export type RepairName = Exclude<MendingAction, 'restart_service' | 'undo' | 'update_agent'>;

/** How one operating system does it. */
export interface Way<P> {
  /** Looks only. */
  plan(before: Sight, params: P, context: ActionContext): Promise<Plan>;
  /** From what the plan kept. Looks only. Left out: it cannot be undone. */
  undo?(kept: Facts, before: Sight, context: ActionContext): Promise<Plan>;
}

export interface RepairDefinition<N extends RepairName> {
  readonly name: N;
  readonly minTier: TierNumber;
  /** Whose facts stand before and after. */
  readonly check: CheckName;
  subject?(params: ActionParams<N>): string;
  /** Pure, beyond the schema. */
  refuse?(params: ActionParams<N>, site: SiteConfig): Refusal | undefined;
  readonly ways: Readonly<Partial<Record<NodeJS.Platform, Way<ActionParams<N>>>>>;
  /** Where there is no way: what a person does. */
  readonly elsewhere: string;
}

export interface Repair {
  readonly action: Action;
  readonly check: CheckName;
  /** On one operating system at least. */
  readonly canUndo: boolean;
  /** Of what the plan of this action kept here. */
  planUndo(kept: Facts, before: Sight, context: ActionContext): Promise<Plan> | undefined;
}

/** Parameters are read by the closed schema before anything looks at them. */
export function defineRepair<N extends RepairName>(definition: RepairDefinition<N>): Repair {
  const { name, minTier, check, ways, elsewhere } = definition;
  return {
    check,
    canUndo: Object.values(ways).some((way) => way.undo !== undefined),
    action: {
      name,
      minTier,
      refuse(raw, site) {
        const read = validateActionParams(name, raw);
        return read.ok ? definition.refuse?.(read.value, site) : paramsRefusal(read);
      },
      async run(raw, context) {
        const read = validateActionParams(name, raw);
        if (!read.ok) return { refusal: paramsRefusal(read), before: {}, after: {} };
        const params = read.value;
        const way = ways[context.host.platform];
        const look = () => context.look(check, definition.subject?.(params) ?? '');
        const before = await look();
        const plan = way === undefined ? notPossible(elsewhere) : await way.plan(before, params, context);
        return carryOut(plan, { action: name, before, look, isDryRun: params.dry_run === true, context });
      },
    },
    planUndo: (kept, before, context) => ways[context.host.platform]?.undo?.(kept, before, context),
  };
}

export const paramsRefusal = ({ field, detail }: { field: string; detail: string }): Refusal => ({
  code: 'ORDER_PARAMS_INVALID',
  // A name that came with the order is not repeated: it may hold anything.
  detail: `${/^\/[a-z_]{1,32}$/.test(field) ? field.slice(1) : 'A parameter'} ${detail}`,
});
