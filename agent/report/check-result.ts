import {
  AGENT_LIMITS,
  type CheckResult,
  encodeFacts,
  severityToWire,
  statusToWire,
} from '@sitewarden/agent-proto/agent';
import type { CheckOutcome } from '../collect/index.ts';

/** A message with one text too long is refused whole, so texts are cut here. */
export function toCheckResult(outcome: CheckOutcome): CheckResult {
  return {
    check: clip(outcome.check),
    subject: clip(outcome.subject),
    status: statusToWire(outcome.status),
    severity: severityToWire(outcome.severity),
    controls: outcome.controls.slice(0, AGENT_LIMITS.maxControls),
    expected: clip(outcome.expected),
    actual: clip(outcome.actual),
    facts: encodeFacts(outcome.facts),
    collectedAtMs: outcome.collectedAtMs,
    durationMs: outcome.durationMs,
    reason: clip(outcome.reason),
  };
}

const clip = (text: string): string => text.slice(0, AGENT_LIMITS.maxTextChars);
