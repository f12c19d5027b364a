import { isDeepStrictEqual } from 'node:util';
import { incidentTitle, nextStepOf, reasonOf } from '../lib/incident-words.ts';
import type { Incident } from '../store/incidents.ts';
import { BOX, type ResultRow } from '../store/results.ts';
import { CALM_MS, failsAgain, isFlapping, isToldFlapping, keptOpen } from './flapping.ts';
import type { Incoming } from './read-results.ts';
import { sameFacts, sameTexts } from './same.ts';

export interface AssessInput {
  readonly latest: ResultRow | undefined;
  /** The one that is not resolved. */
  readonly incident: Incident | undefined;
  /** How many about the same ended within the hour before `incident` was opened; only looked at when `result` is good. */
  readonly endedBefore: number;
  readonly result: Incoming;
  /** Name of the computer, for people. */
  readonly host: string;
  /** The agent was removed: its last words are kept, but nobody is called for them. */
  readonly isRetired: boolean;
  readonly nowMs: number;
}

export type NewIncident = Omit<Incident, 'id' | 'evidenceSeq'>;

/** What to write, in order; one transaction. */
export type AssessStep =
  | { readonly kind: 'put_latest'; readonly row: ResultRow }
  | { readonly kind: 'start_run'; readonly row: ResultRow }
  | { readonly kind: 'extend_run'; readonly row: ResultRow }
  | { readonly kind: 'announce_result'; readonly row: ResultRow }
  | { readonly kind: 'open_incident'; readonly incident: NewIncident }
  /** `isVisible`: not only the facts behind it changed. */
  | { readonly kind: 'change_incident'; readonly incident: Incident; readonly isVisible: boolean }
  | { readonly kind: 'resolve_incident'; readonly incident: Incident };

/** Unchanged results are told again this often, so that the relay can see they are still looked at. */
export const ANNOUNCE_EVERY_MS = 15 * 60 * 1000;

/**
 * An agent sends in the order it collects, so a stamp older than the last is one of two things: a result out of order,
 * which comes on the heels of the newer one, or a clock set back, which stays. After this long it is the clock.
 */
export const CLOCK_SET_BACK_AFTER_MS = 10 * 60 * 1000;

/** Pure. No steps at all: the result is older than what is known. */
export function decide(input: AssessInput): AssessStep[] {
  const { latest, result } = input;
  if (latest !== undefined && isOlder(result, latest)) return [];
  const row: ResultRow = { ...result, sinceMs: sinceOf(result, latest) };
  const steps: AssessStep[] = [{ kind: 'put_latest', row }];
  const isSameRun = latest !== undefined && hasSameMeaning(latest, row);
  steps.push({ kind: isSameRun ? 'extend_run' : 'start_run', row });
  if (!isSameRun || !looksSame(latest, row) || isAnnouncementDue(latest, row)) {
    steps.push({ kind: 'announce_result', row });
  }
  steps.push(...incidentSteps(input, row));
  return steps;
}

/**
 * The row of a result that says the same as the latest again, where `decide` would only put it and extend its run.
 * Undefined where there may be more to do, so that `decide` has to be asked.
 */
export function seenAgain(
  latest: ResultRow,
  incident: Incident | undefined,
  { collectedAtMs, receivedAtMs, reportId }: Pick<ResultRow, 'collectedAtMs' | 'receivedAtMs' | 'reportId'>,
): ResultRow | undefined {
  if (latest.status === 'fail' || (incident !== undefined && isGood(latest))) return undefined;
  const row = { ...latest, collectedAtMs, receivedAtMs, reportId };
  return isOlder(row, latest) || isAnnouncementDue(latest, row) ? undefined : row;
}

function isOlder(result: Incoming, latest: ResultRow): boolean {
  if (result.collectedAtMs >= latest.collectedAtMs) return false;
  return Math.abs(result.receivedAtMs - latest.receivedAtMs) < CLOCK_SET_BACK_AFTER_MS;
}

function sinceOf(result: Incoming, latest: ResultRow | undefined): number {
  if (latest === undefined) return result.collectedAtMs;
  if (latest.status === result.status) return latest.sinceMs;
  return result.collectedAtMs >= latest.collectedAtMs ? result.collectedAtMs : result.receivedAtMs;
}

/** One row of history is one stretch of this. */
function hasSameMeaning(a: ResultRow, b: ResultRow): boolean {
  return a.status === b.status && a.actual === b.actual && sameFacts(a.facts, b.facts);
}

/** Of two with the same meaning. */
function looksSame(a: ResultRow, b: ResultRow): boolean {
  return (
    a.severity === b.severity && a.expected === b.expected && a.reason === b.reason && sameTexts(a.controls, b.controls)
  );
}

/** At most once in each quarter of an hour, which begins at another second for each subject: no herd at the full hour. */
function isAnnouncementDue(latest: ResultRow, row: ResultRow): boolean {
  if (latest.receivedAtMs === row.receivedAtMs) return false;
  const phaseMs = phaseOf(`${row.source}|${row.check}|${row.subject}`);
  const period = (atMs: number) => Math.floor((atMs + phaseMs) / ANNOUNCE_EVERY_MS);
  return period(row.receivedAtMs) !== period(latest.receivedAtMs);
}

function phaseOf(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) | 0;
  return ((hash >>> 0) % 900) * 1000;
}

function incidentSteps(input: AssessInput, row: ResultRow): AssessStep[] {
  const { incident, host, isRetired, nowMs } = input;
  switch (row.status) {
    case 'fail':
      if (incident !== undefined) return changeSteps(incident, { row, host, nowMs });
      return isRetired ? [] : [{ kind: 'open_incident', incident: newIncident(row, host, nowMs) }];
    case 'pass':
    case 'not_applicable':
      return incident === undefined ? [] : endSteps(incident, row, input);
    // Not knowing is neither a fault nor its end.
    case 'unknown':
      return [];
  }
}

/** Good ends an incident at once, but one that keeps coming back only when it is calm. */
function endSteps(incident: Incident, row: ResultRow, input: AssessInput): AssessStep[] {
  const { latest, endedBefore, host, isRetired, nowMs } = input;
  const isKept = !isRetired && (isToldFlapping(incident) || isFlapping(endedBefore));
  const isGoodAgain = latest === undefined || !isGood(latest) || !isToldFlapping(incident);
  if (isKept && isGoodAgain) {
    const kept = keptOpen(incident, { endedBefore, host, nowMs });
    return [{ kind: 'change_incident', incident: kept, isVisible: kept.reason !== incident.reason }];
  }
  // Either way: a clock that was set back must not keep it open.
  if (isKept && Math.abs(nowMs - incident.changedAtMs) < CALM_MS) return [];
  return [{ kind: 'resolve_incident', incident: resolved(incident, row, nowMs) }];
}

/** What ends an incident. */
export const isGood = ({ status }: Pick<ResultRow, 'status'>): boolean =>
  status === 'pass' || status === 'not_applicable';

function newIncident(row: ResultRow, host: string, nowMs: number): NewIncident {
  return {
    source: row.source,
    host,
    check: row.check,
    subject: row.subject,
    severity: row.severity,
    title: incidentTitle(row.check, row.subject).slice(0, 256),
    reason: reasonOf(row, row.source === BOX),
    nextStep: nextStepOf(row, host),
    state: 'open',
    ruleId: null,
    controls: row.controls,
    facts: row.facts,
    openedAtMs: row.sinceMs,
    changedAtMs: nowMs,
    resolvedAtMs: null,
  };
}

function changeSteps(
  incident: Incident,
  { row, host, nowMs }: { row: ResultRow; host: string; nowMs: number },
): AssessStep[] {
  const changed: Incident = isToldFlapping(incident)
    ? failsAgain(incident, row)
    : {
        ...incident,
        severity: row.severity,
        reason: reasonOf(row, row.source === BOX),
        controls: row.controls,
        facts: row.facts,
        // Once a rule has taken the incident, what comes next is for healing to say.
        nextStep: incident.ruleId === null ? nextStepOf(row, host) : incident.nextStep,
      };
  if (isDeepStrictEqual(changed, incident)) return [];
  const isVisible =
    changed.severity !== incident.severity ||
    changed.reason !== incident.reason ||
    changed.nextStep !== incident.nextStep ||
    !sameTexts(changed.controls, incident.controls);
  return [{ kind: 'change_incident', incident: { ...changed, changedAtMs: nowMs }, isVisible }];
}

function resolved(incident: Incident, row: ResultRow, nowMs: number): Incident {
  return {
    ...incident,
    state: 'resolved',
    reason: reasonOf(row, row.source === BOX),
    nextStep: 'Nothing to do.',
    facts: row.facts,
    changedAtMs: nowMs,
    resolvedAtMs: Math.max(row.sinceMs, incident.openedAtMs),
  };
}
