import type { Facts } from '@sitewarden/agent-proto/agent';
import { CHECKS, isCheckName } from '@sitewarden/agent-proto/checks';
import { CLOSED_FACTS, CLOSED_PARAMS, closedFacts, isPlainName, wholeNumber } from '@sitewarden/agent-proto/evidence';

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

/** Parameters of actions and orders. */
export function evidenceParams({ agent_id: agentId, ...params }: Facts, check: string | null): Facts {
  const own = check !== null && isCheckName(check) ? CLOSED_FACTS[check] : {};
  const closed = closedFacts(params, { ...own, ...CLOSED_PARAMS });
  return typeof agentId === 'string' && AGENT_ID.test(agentId) ? { ...closed, agent_id: agentId } : closed;
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
