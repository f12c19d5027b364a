import { CHECK_NAMES, CHECKS, type CheckName } from '@sitewarden/agent-proto/checks';

/** What a condition can look at besides `facts.<name>`. `source` is `box` or `agent`. */
export const PLAIN_FIELDS = ['status', 'severity', 'subject', 'expected', 'actual', 'source'] as const;
export type PlainField = (typeof PLAIN_FIELDS)[number];

/** Written after the field and a bar, as in Sigma: `facts.state|in`. Without one the values must be equal. */
export const MODIFIERS = ['in', 'gt', 'gte', 'lt', 'lte', 'contains', 'startswith', 'endswith', 'exists'] as const;
export type Modifier = (typeof MODIFIERS)[number];

export interface FieldKey {
  /** A plain field, or `facts.<name>`. */
  readonly field: string;
  readonly modifier: Modifier | undefined;
}

export const factField = (name: string): string => `facts.${name}`;

export const fieldsOf = (check: CheckName): string[] => [...PLAIN_FIELDS, ...CHECKS[check].facts.map(factField)];

/** Every field of every check, once. */
export const allFields = (): string[] => [...new Set(CHECK_NAMES.flatMap(fieldsOf))];

/** `key` is one the schema has let through. */
export function parseFieldKey(key: string): FieldKey {
  const at = key.indexOf('|');
  if (at < 0) return { field: key, modifier: undefined };
  return { field: key.slice(0, at), modifier: key.slice(at + 1) as Modifier };
}
