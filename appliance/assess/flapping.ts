import { SEVERITIES } from '@sitewarden/agent-proto/checks';
import { isPlainName } from '@sitewarden/agent-proto/evidence';
import { hostWord } from '../lib/incident-words.ts';
import type { Incident } from '../store/incidents.ts';
import type { ResultRow } from '../store/results.ts';

/** Longer than the time between two reports, so that a flood in waves is one incident and not many. */
export const CALM_MS = 3_600_000;

/** So many incidents about the same within CALM_MS are told one by one; the last of them stays open until it is calm. */
export const MAX_OPENS = 4;

const FLAPPING = 'This keeps failing and passing:';

/**
 * The stretch, on the box's clock, whose ended incidents count against an open one. The stamp it was opened with is the
 * agent's; one that is too old only makes the stretch longer, so an agent cannot escape by it.
 */
export const lookBackOf = (incident: Incident, nowMs: number): { fromMs: number; toMs: number } => ({
  fromMs: Math.min(incident.openedAtMs, nowMs) - CALM_MS,
  toMs: nowMs,
});

export const isFlapping = (endedBefore: number): boolean => endedBefore >= MAX_OPENS - 1;

export const isToldFlapping = ({ reason }: Incident): boolean => reason.startsWith(FLAPPING);

/** It passes, for the first time or again: the incident stays open. `changedAtMs` is when the calm began. */
export function keptOpen(
  incident: Incident,
  { endedBefore, host, nowMs }: { readonly endedBefore: number; readonly host: string; readonly nowMs: number },
): Incident {
  if (isToldFlapping(incident)) return { ...incident, changedAtMs: nowMs };
  const what = isPlainName(incident.subject) ? incident.subject : 'this';
  const nextStep = `Find what switches ${what} on and off on ${hostWord(host)}; the incident ends after an hour without a fault.`;
  const reason = `${FLAPPING} it ended ${endedBefore} times within an hour and came back each time. Last fault: ${incident.reason}`;
  return {
    ...incident,
    reason: reason.slice(0, 1024).toWellFormed(),
    // Once a rule has taken the incident, what comes next is for healing to say.
    nextStep: incident.ruleId === null ? nextStep.slice(0, 1024).toWellFormed() : incident.nextStep,
    changedAtMs: nowMs,
  };
}

/** It fails again, which was said before: the words stay, and only a worse fault is news. */
export function failsAgain(incident: Incident, row: ResultRow): Incident {
  const isWorse = SEVERITIES.indexOf(row.severity) > SEVERITIES.indexOf(incident.severity);
  return { ...incident, severity: isWorse ? row.severity : incident.severity, facts: row.facts };
}
