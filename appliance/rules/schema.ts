import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { CHECK_NAMES, TIERS } from '@sitewarden/agent-proto/checks';
import { closed, oneOf } from '@sitewarden/agent-proto/http';
import { RULE_ACTIONS, ruleParams } from './actions.ts';
import { allFields, MODIFIERS, type Modifier } from './fields.ts';

const MAX_LIST_ITEMS = 64;
const MAX_BRANCHES = 16;

const Word = Type.String({ maxLength: 256 });
const Whole = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });
const Scalar = Type.Union([Word, Whole, Type.Boolean()]);
const Words = Type.Union([Word, Type.Array(Word, { minItems: 1, maxItems: MAX_LIST_ITEMS })]);

const OPERAND: Record<Modifier, TSchema> = {
  in: Type.Array(Scalar, { minItems: 1, maxItems: MAX_LIST_ITEMS, description: 'a list such as [stopped, failed]' }),
  gt: Whole,
  gte: Whole,
  lt: Whole,
  lte: Whole,
  contains: Words,
  startswith: Words,
  endswith: Words,
  exists: Type.Boolean(),
};

/** Every key a condition may hold, spelled out: a mistyped one is then refused with the nearest that exists. */
const conditionKeys = (): Record<string, TSchema> =>
  Object.fromEntries(
    allFields()
      .flatMap((field) => [field, ...MODIFIERS.map((modifier) => `${field}|${modifier}`)])
      .map((key) => [key, Type.Optional(Type.Unknown())]),
  );

/** What stands behind those keys. Said once for all fields: a validator that says it of each takes seconds to compile. */
function conditionValues(): Record<string, TSchema> {
  const anyField = `^(?:${allFields()
    .map((field) => field.replaceAll('.', '\\.'))
    .join('|')})`;
  return {
    [`${anyField}$`]: Scalar,
    ...Object.fromEntries(MODIFIERS.map((modifier) => [`${anyField}\\|${modifier}$`, OPERAND[modifier]])),
  };
}

export type Condition = {
  readonly any?: readonly Condition[];
  readonly all?: readonly Condition[];
  readonly not?: Condition;
} & { readonly [field: string]: unknown };

/** All keys of a condition must hold. */
const conditionSchema = () =>
  Type.Recursive(
    (Self) =>
      Type.Object(
        {
          any: Type.Optional(Type.Array(Self, { minItems: 1, maxItems: MAX_BRANCHES })),
          all: Type.Optional(Type.Array(Self, { minItems: 1, maxItems: MAX_BRANCHES })),
          not: Type.Optional(Self),
          ...conditionKeys(),
        },
        { additionalProperties: false, minProperties: 1, patternProperties: conditionValues() },
      ),
    { $id: 'Condition' },
  );

/** A number nobody can argue with is never changed: each carries its reason. */
const seconds = (minimum: number, maximum: number) =>
  closed({ seconds: Type.Integer({ minimum, maximum }), reason: Type.String({ minLength: 1, maxLength: 256 }) });

const SCOPES = ['target', 'host'] as const;
/** `target`: the action on this host with the same parameters. `host`: the action on this host, whatever its parameters. */
export type Scope = (typeof SCOPES)[number];

export const RULE_FILE = closed({
  id: Type.String({
    pattern: '^[a-z][a-z0-9-]{2,63}$',
    description: '3 to 64 of a-z 0-9 -, beginning with a letter',
  }),
  version: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  title: Type.String({ minLength: 1, maxLength: 128 }),
  check: oneOf(CHECK_NAMES),
  when: Type.Unsafe<Condition>(conditionSchema()),
  action: closed({
    name: oneOf(RULE_ACTIONS),
    params: Type.Optional(ruleParams()),
  }),
  hold_for: seconds(0, 86_400),
  cooldown: closed({
    seconds: Type.Integer({ minimum: 0, maximum: 86_400 }),
    per: oneOf(SCOPES),
    reason: Type.String({ minLength: 1, maxLength: 256 }),
  }),
  attempts: closed({
    max: Type.Integer({ minimum: 1, maximum: 10 }),
    within_seconds: Type.Integer({ minimum: 60, maximum: 86_400 }),
    per: oneOf(SCOPES),
    reason: Type.String({ minLength: 1, maxLength: 256 }),
  }),
  verify: seconds(5, 3600),
  min_tier: oneOf(TIERS),
});
export type RuleFile = Static<typeof RULE_FILE>;
