import type { Facts } from '@sitewarden/agent-proto/agent';

/** Typed reads: a fact of another kind counts as absent, so that odd facts lead to unknown and never to pass. */
export function flagFact(facts: Facts, name: string): boolean | undefined {
  const value = facts[name];
  return typeof value === 'boolean' ? value : undefined;
}

/** Whole numbers from 0 up. */
export function countFact(facts: Facts, name: string): number | undefined {
  const value = facts[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

export function textFact(facts: Facts, name: string): string | undefined {
  const value = facts[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function listFact(facts: Facts, name: string): readonly string[] | undefined {
  const value = facts[name];
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}
