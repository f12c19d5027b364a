import type { Facts } from '../agent/facts.ts';
import { isCheckName } from '../checks/index.ts';
import { CLOSED_FACTS, type ClosedFact, isPlainName } from './vocabulary.ts';

const MAX_TEXT = 1024;

/** The facts of a check that are closed, each with a value its kind allows; all others are left out. */
export function onlyClosedFacts(facts: Facts, check: string | undefined): Facts {
  return check !== undefined && isCheckName(check) ? closedFacts(facts, CLOSED_FACTS[check]) : {};
}

export function closedFacts(facts: Facts, kinds: Readonly<Record<string, ClosedFact>>): Facts {
  const closed: Facts = {};
  for (const [name, kind] of Object.entries(kinds)) {
    const value = Object.hasOwn(facts, name) ? closedValue(facts[name], kind) : undefined;
    if (value !== undefined) closed[name] = value;
  }
  return closed;
}

function closedValue(value: Facts[string] | undefined, kind: ClosedFact): Facts[string] | undefined {
  if (kind === 'integer') return wholeNumber(value);
  if (kind === 'flag') return typeof value === 'boolean' ? value : undefined;
  if (kind === 'service') return typeof value === 'string' && isPlainName(value) ? value : undefined;
  if (kind === 'order') return typeof value === 'string' && ORDER_ID.test(value) ? value : undefined;
  if (kind === 'version') return typeof value === 'string' && VERSION.test(value) ? value : undefined;
  if ('list' in kind) {
    if (!Array.isArray(value)) return undefined;
    return kind.list.filter((word) => value.includes(word));
  }
  if (typeof value !== 'string') return undefined;
  if ('one' in kind) return kind.one.includes(value) ? value : undefined;
  return value.length <= MAX_TEXT && value.split(',').every((word) => kind.joined.includes(word)) ? value : undefined;
}

const VERSION = /^[0-9][0-9A-Za-z.+-]{0,63}$/;
const ORDER_ID = /^ord_[a-z2-7]{26}$/;

export function wholeNumber(value: unknown): number | undefined {
  const whole = typeof value === 'number' ? Math.round(value) + 0 : undefined;
  return Number.isSafeInteger(whole) ? whole : undefined;
}
