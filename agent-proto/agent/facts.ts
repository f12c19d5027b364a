import type { FactValue } from '../gen/sitewarden/agent/v1/agent.ts';

export type FactPrimitive = string | number | boolean | string[];

/** Raw facts of a check, telemetry or parameters: flat, bounded, closed per check. Numbers are integers. */
export type Facts = Record<string, FactPrimitive>;

export function encodeFacts(facts: Facts): Record<string, FactValue> {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, encodeFact(value)]));
}

/** Drops facts without a kind: a newer peer may send kinds this side does not know. */
export function decodeFacts(wire: Record<string, FactValue>): Facts {
  const facts: Facts = {};
  for (const name in wire) {
    const kind = wire[name]?.kind;
    if (kind === undefined) continue;
    facts[name] = kind.$case === 'list' ? kind.value.values : kind.value;
  }
  return facts;
}

function encodeFact(value: FactPrimitive): FactValue {
  if (typeof value === 'string') return { kind: { $case: 'text', value } };
  if (typeof value === 'boolean') return { kind: { $case: 'flag', value } };
  if (typeof value === 'number') return { kind: { $case: 'integer', value: Math.round(value) } };
  return { kind: { $case: 'list', value: { values: value } } };
}
