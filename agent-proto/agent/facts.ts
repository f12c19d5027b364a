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

/** As JSON in UTF-8. */
export const factsBytes = (facts: Facts): number => Buffer.byteLength(JSON.stringify(facts), 'utf8');

/** Leaves out, from the end, what goes beyond so many bytes of JSON; of a list only the items that do. */
export function fitFacts(facts: Facts, maxBytes: number): Facts {
  if (atMostBytes(facts) <= maxBytes || factsBytes(facts) <= maxBytes) return facts;
  const fitting: Facts = {};
  let left = maxBytes - 2;
  for (const [name, value] of Object.entries(facts)) {
    left -= jsonBytes(name) + 2;
    const kept = Array.isArray(value) ? fitItems(value, left) : value;
    const bytes = jsonBytes(kept);
    if (bytes > left) return fitting;
    fitting[name] = kept;
    left -= bytes;
  }
  return fitting;
}

/** No character takes more than six bytes of JSON. Cheap, for this runs for every result. */
function atMostBytes(facts: Facts): number {
  let chars = 0;
  for (const name in facts) {
    const value = facts[name]!;
    chars += name.length + 4;
    if (typeof value === 'string') chars += value.length;
    else if (Array.isArray(value)) for (const item of value) chars += item.length + 3;
    else chars += 4;
  }
  return chars * 6 + 2;
}

function fitItems(items: readonly string[], maxBytes: number): string[] {
  let left = maxBytes - 2;
  const end = items.findIndex((item) => {
    left -= jsonBytes(item) + 1;
    return left < 0;
  });
  return items.slice(0, end < 0 ? items.length : end);
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value), 'utf8');

function encodeFact(value: FactPrimitive): FactValue {
  if (typeof value === 'string') return { kind: { $case: 'text', value } };
  if (typeof value === 'boolean') return { kind: { $case: 'flag', value } };
  if (typeof value === 'number') return { kind: { $case: 'integer', value: Math.round(value) } };
  return { kind: { $case: 'list', value: { values: value } } };
}
