import type { ActionParams, MendingAction } from '@sitewarden/agent-proto/actions';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { AGENT_ACTIONS, type CheckName } from '@sitewarden/agent-proto/checks';
import type { SiteConfig } from '../site/index.ts';
import type { Action, ActionContext, Refusal, Sight } from './actions/types.ts';
import { defineAction } from './define-action.ts';
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

export function defineRepair<N extends RepairName>(definition: RepairDefinition<N>): Repair {
  const { name, ways, elsewhere } = definition;
  // Whose facts stand before and after.
  const { check } = AGENT_ACTIONS[name];
  return {
    check,
    canUndo: Object.values(ways).some((way) => way.undo !== undefined),
    action: defineAction({
      name,
      ...(definition.refuse && { refuse: definition.refuse }),
      async run(params, context) {
        const way = ways[context.host.platform];
        const look = () => context.look(check, definition.subject?.(params) ?? '');
        const before = await look();
        const plan = way === undefined ? notPossible(elsewhere) : await way.plan(before, params, context);
        return carryOut(plan, { action: name, before, look, isDryRun: params.dry_run === true, context });
      },
    }),
    planUndo: (kept, before, context) => ways[context.host.platform]?.undo?.(kept, before, context),
  };
}
