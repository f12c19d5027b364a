import { type TSchema, Type } from '@sinclair/typebox';
import { ACTION_PARAMS, MENDING_ACTIONS, type MendingAction } from '@sitewarden/agent-proto/actions';
import { closed } from '@sitewarden/agent-proto/http';

/** An undo needs an order and an installation a window: a rule knows of neither. No incident is mended by another agent. */
const NOT_BY_RULE = ['undo', 'security_updates_install', 'update_agent'] as const satisfies readonly MendingAction[];
export type ActionName = Exclude<MendingAction, (typeof NOT_BY_RULE)[number]>;

export const RULE_ACTIONS = MENDING_ACTIONS.filter(
  (name): name is ActionName => !(NOT_BY_RULE as readonly string[]).includes(name),
);

/** What the box can do on itself; the others are an agent's. */
export const BOX_ACTIONS = ['restart_service'] as const satisfies readonly ActionName[];
export type BoxAction = (typeof BOX_ACTIONS)[number];
export const isBoxAction = (name: ActionName): name is BoxAction => (BOX_ACTIONS as readonly string[]).includes(name);

const FromField = closed({ from: Type.String({ maxLength: 80, description: 'a field such as facts.service' }) });
export type ParamValue = string | number | { readonly from: string };

/** A rule that only tries would never mend what it is for: it has no dry_run. */
export const paramSchemas = (action: ActionName): Record<string, TSchema> => {
  const { dry_run: _dry, ...properties } = ACTION_PARAMS[action].properties as Record<string, TSchema>;
  return properties;
};

/** Every parameter of every action of a rule, as itself or taken from a field; which of them fit together is asked later. */
export function ruleParams() {
  const properties: Record<string, TSchema> = {};
  for (const action of RULE_ACTIONS) {
    for (const [name, schema] of Object.entries(paramSchemas(action))) {
      properties[name] = Type.Optional(Type.Union([schema, FromField]));
    }
  }
  return Type.Unsafe<Readonly<Record<string, ParamValue>>>(closed(properties));
}
