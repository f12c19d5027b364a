import {
  AGENT_LIMITS,
  type CheckResult,
  decodeFacts,
  type Facts,
  fitFacts,
  severityFromWire,
  statusFromWire,
} from '@sitewarden/agent-proto/agent';
import { CHECKS, type CheckName, isCheckName } from '@sitewarden/agent-proto/checks';
import { cleanText } from '../lib/clean-text.ts';
import type { ResultRow } from '../store/results.ts';
import { boxTimeMs } from './box-time.ts';

/** A result as it came in, in the box's words and time; `sinceMs` is what the decider finds out. */
export type Incoming = Omit<ResultRow, 'sinceMs'>;

const MAX_SUBJECT_CHARS = 256;
const MAX_CONTROL_CHARS = 256;
const MAX_TIME_MS = 253402300799999;

export interface ResultOrigin {
  /** An agent's id, or BOX. */
  readonly source: string;
  readonly reportId: number;
  readonly receivedAtMs: number;
}

export const withinTime = (receivedAtMs: number): number => Math.min(Math.max(0, receivedAtMs), MAX_TIME_MS);

/**
 * A result in the box's words; undefined for one that means nothing here. A newer agent may send checks, states or facts
 * that this box does not know; they are left out, never guessed. Texts are cut to what the relay's schemas take.
 */
export function readResult(result: CheckResult, from: ResultOrigin): Incoming | undefined {
  const status = statusFromWire(result.status);
  const severity = severityFromWire(result.severity);
  const { check } = result;
  if (!isCheckName(check) || status === undefined || severity === undefined) return undefined;
  const { receivedAtMs } = from;
  return {
    source: from.source,
    check,
    subject: cut(cleanText(result.subject), MAX_SUBJECT_CHARS),
    status,
    severity,
    controls: readControls(result.controls),
    expected: cut(cleanText(result.expected), AGENT_LIMITS.maxTextChars),
    actual: cut(cleanText(result.actual), AGENT_LIMITS.maxTextChars),
    reason: cut(cleanText(result.reason), AGENT_LIMITS.maxTextChars),
    facts: knownFacts(check, decodeFacts(result.facts)),
    collectedAtMs: boxTimeMs(result.collectedAtMs, receivedAtMs),
    receivedAtMs,
    reportId: from.reportId,
  };
}

const readControls = (controls: readonly string[]): readonly string[] =>
  cutAll(controls, AGENT_LIMITS.maxControls, MAX_CONTROL_CHARS);

function knownFacts(check: CheckName, facts: Facts): Facts {
  const known: Facts = {};
  for (const name of CHECKS[check].facts) {
    const value = Object.hasOwn(facts, name) ? facts[name] : undefined;
    if (value === undefined) continue;
    if (typeof value === 'string') known[name] = cut(cleanText(value), AGENT_LIMITS.maxFactTextChars);
    else if (!Array.isArray(value)) known[name] = value;
    else known[name] = cutAll(value, AGENT_LIMITS.maxFactListItems, AGENT_LIMITS.maxFactTextChars);
  }
  return fitFacts(known, AGENT_LIMITS.maxFactsBytes);
}

/** Evidence takes well-formed text only: what is decoded from UTF-8 is, and a cut can split a pair of surrogates. */
const cut = (text: string, maxChars: number): string =>
  text.length <= maxChars ? text : text.slice(0, maxChars).toWellFormed();

/** The list itself where nothing is to be cut, which is nearly always. */
function cutAll(texts: readonly string[], maxItems: number, maxChars: number): string[] {
  const isFine = texts.length <= maxItems && texts.every((text) => text.length <= maxChars && cleanText(text) === text);
  return isFine ? (texts as string[]) : texts.slice(0, maxItems).map((text) => cut(cleanText(text), maxChars));
}
