import type { Facts } from '@sitewarden/agent-proto/agent';
import { CHECK_NAMES, CHECKS, isCheckName } from '@sitewarden/agent-proto/checks';
import { CLOSED_FACTS, type ClosedFact, isPlainName } from '@sitewarden/agent-proto/evidence';

export const MAX_TEXT = 1024;
const MAX_SHORT = 256;
const MAX_ITEMS = 64;
const NAME = /^[a-z][a-z0-9_]{0,63}$/;
const AGENT_ID = /^agt_[a-z2-7]{26}$/;

/** Stands in an entry for a name that was a text. */
export const NO_NAME = '(name left out)';

/** Text as evidence may hold it: well-formed, bounded. Only for the words of this program and of the relay. */
export const boundText = (text: string, max = MAX_TEXT): string => {
  const clipped = text.length > max ? text.slice(0, max) : text;
  return clipped.toWellFormed();
};

export const boundShort = (text: string): string => boundText(text, MAX_SHORT);

/** A name that a workstation gave itself or something on it. */
export const plainName = (text: string): string => (text === '' || isPlainName(text) ? text : NO_NAME);

/** Of the controls a result came with, those the catalogue knows for its check. */
export function evidenceControls(controls: readonly string[], check: string): string[] {
  const known: readonly string[] = isCheckName(check) ? CHECKS[check].controls : [];
  return known.filter((control) => controls.includes(control));
}

/** The facts of a check that are closed, each with a value its kind allows; all others are left out. */
export function evidenceFacts(facts: Facts, check: string): Facts {
  return isCheckName(check) ? closedFacts(facts, CLOSED_FACTS[check]) : {};
}

/** Parameters of actions and orders. */
export function evidenceParams({ agent_id: agentId, ...params }: Facts, check: string | null): Facts {
  const kinds: Record<string, ClosedFact> = { service: 'service', checks: { list: CHECK_NAMES } };
  if (check !== null && isCheckName(check)) Object.assign(kinds, CLOSED_FACTS[check]);
  const closed = closedFacts(params, kinds);
  return typeof agentId === 'string' && AGENT_ID.test(agentId) ? { ...closed, agent_id: agentId } : closed;
}

function closedFacts(facts: Facts, kinds: Readonly<Record<string, ClosedFact>>): Facts {
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
  if ('list' in kind) {
    if (!Array.isArray(value)) return undefined;
    return kind.list.filter((word) => value.includes(word));
  }
  if (typeof value !== 'string') return undefined;
  if ('one' in kind) return kind.one.includes(value) ? value : undefined;
  return value.length <= MAX_TEXT && value.split(',').every((word) => kind.joined.includes(word)) ? value : undefined;
}

function wholeNumber(value: unknown): number | undefined {
  const whole = typeof value === 'number' ? Math.round(value) + 0 : undefined;
  return Number.isSafeInteger(whole) ? whole : undefined;
}

/** Facts made by this program itself: bounded, and otherwise as they are. */
export function ownFacts(facts: Facts): Facts {
  const picked: Facts = {};
  for (const [name, value] of Object.entries(facts)) {
    const bounded = NAME.test(name) ? boundValue(value) : undefined;
    if (bounded !== undefined) picked[name] = bounded;
  }
  return picked;
}

function boundValue(value: Facts[string]): Facts[string] | undefined {
  if (typeof value === 'string') return boundText(value);
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return wholeNumber(value);
  return value.slice(0, MAX_ITEMS).map((item) => boundText(item));
}
