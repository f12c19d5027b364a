import { type ActionParams, type MendingAction, validateActionParams } from '@sitewarden/agent-proto/actions';
import { AGENT_ACTIONS } from '@sitewarden/agent-proto/checks';
import type { SiteConfig } from '../site/index.ts';
import type { Action, ActionContext, ActionResult, Refusal } from './actions/types.ts';

export interface ActionDefinition<N extends MendingAction> {
  readonly name: N;
  /** Pure, beyond the schema. */
  refuse?(params: ActionParams<N>, site: SiteConfig): Refusal | undefined;
  run(params: ActionParams<N>, context: ActionContext): Promise<ActionResult>;
}

/** Its least tier is that of the contract, and its parameters are read by the closed schema before anything looks at them. */
export function defineAction<N extends MendingAction>({ name, refuse, run }: ActionDefinition<N>): Action {
  return {
    name,
    minTier: AGENT_ACTIONS[name].minTier,
    refuse(raw, site) {
      const read = validateActionParams(name, raw);
      return read.ok ? refuse?.(read.value, site) : paramsRefusal(read);
    },
    async run(raw, context) {
      const read = validateActionParams(name, raw);
      if (!read.ok) return { refusal: paramsRefusal(read), before: {}, after: {} };
      return await run(read.value, context);
    },
  };
}

const paramsRefusal = ({ field, detail }: { field: string; detail: string }): Refusal => ({
  code: 'ORDER_PARAMS_INVALID',
  // A name that came with the order is not repeated: it may hold anything.
  detail: `${/^\/[a-z_]{1,32}$/.test(field) ? field.slice(1) : 'A parameter'} ${detail}`,
});
