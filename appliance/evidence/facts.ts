import type { Facts } from '@sitewarden/agent-proto/agent';
import { CHECKS, type CheckName, isCheckName } from '@sitewarden/agent-proto/checks';

export const MAX_TEXT = 1024;
const MAX_SHORT = 256;
const MAX_ITEMS = 64;
const NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** Names of parameters beside a check's own facts; they are the contract's, not a user's words. */
const PARAM_NAMES = new Set(['service', 'agent_id', 'checks']);

/** Text as evidence may hold it: well-formed, bounded. */
export const boundText = (text: string, max = MAX_TEXT): string => {
  const clipped = text.length > max ? text.slice(0, max) : text;
  return clipped.toWellFormed();
};

export const boundShort = (text: string): string => boundText(text, MAX_SHORT);

/** Only facts the check catalogue names for this check: there is no room in evidence for anything else. */
export function evidenceFacts(facts: Facts, check: string): Facts {
  const names: readonly string[] = isCheckName(check) ? CHECKS[check as CheckName].facts : [];
  return pick(facts, (name) => names.includes(name));
}

/** Parameters of actions and orders. */
export function evidenceParams(params: Facts, check: string | null): Facts {
  const names: readonly string[] = check !== null && isCheckName(check) ? CHECKS[check as CheckName].facts : [];
  return pick(params, (name) => PARAM_NAMES.has(name) || names.includes(name));
}

/** Facts made by this program itself: bounded, and otherwise as they are. */
export const ownFacts = (facts: Facts): Facts => pick(facts, () => true);

function pick(facts: Facts, isAllowed: (name: string) => boolean): Facts {
  const picked: Facts = {};
  for (const [name, value] of Object.entries(facts)) {
    if (!NAME.test(name) || !isAllowed(name)) continue;
    const bounded = boundValue(value);
    if (bounded !== undefined) picked[name] = bounded;
    if (Object.keys(picked).length === MAX_ITEMS) break;
  }
  return picked;
}

function boundValue(value: Facts[string]): Facts[string] | undefined {
  if (typeof value === 'string') return boundText(value);
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    const whole = Math.round(value) + 0;
    return Number.isSafeInteger(whole) ? whole : undefined;
  }
  return value.slice(0, MAX_ITEMS).map((item) => boundText(item));
}
