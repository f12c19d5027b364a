import { formatDuration, plural } from './duration.ts';
import type { EvidenceState } from './evidence-state.ts';
import type { Status } from './status.ts';

export type SiteHealth = 'problem' | 'warning' | 'unknown' | 'ok';

export interface SiteFacts {
  status: Status;
  /** null: no box is in service at the site. */
  appliance: { state: string; claimedAtMs: number; quarantinedAtMs?: number | null } | null;
  /** Incidents not resolved. `oldestAtMs` of those of the worst kind there is. */
  incidents: { critical: number; high: number; medium: number; low: number; info: number };
  needsPerson: { count: number; oldestAtMs: number | null };
  /** Oldest open incident of severity high or critical, and of any severity. */
  oldestSevereAtMs: number | null;
  oldestAtMs: number | null;
  /** Latest results of all checks of the site, by status. */
  checks: { failing: number; unknown: number };
  evidence: EvidenceState;
  queue: { depth: number; oldestAgeMs: number };
}

export interface HealthVerdict {
  health: SiteHealth;
  /** Why, in words for a person woken at 3 a.m. */
  reason: string;
  /** Since when, by the relay's clock where it can know; null when nothing is wrong or nobody knows. */
  sinceMs: number | null;
  nextStep: string;
}

type Rule = (facts: SiteFacts, nowMs: number) => HealthVerdict | null;

/** Check-ins carry the queue; a row waiting this long on a box that is online was refused, not merely slow. */
export const QUEUE_LATE_MS = 15 * 60_000;
/** A box sends a checkpoint with every check-in that has news: an hour without one is no accident. */
export const COSIGN_LATE_MS = 60 * 60_000;

const quarantined: Rule = ({ appliance }) =>
  appliance?.state === 'quarantined'
    ? {
        health: 'problem',
        reason: 'Two boxes use the identity of this site. Neither gets orders.',
        sinceMs: appliance.quarantinedAtMs ?? null,
        nextStep:
          'Open the quarantine page: it shows both machines. Take the copy off, then an admin releases the box.',
      }
    : null;

const evidenceBroken: Rule = ({ evidence }) =>
  evidence.mark === 'broken'
    ? {
        health: 'problem',
        reason: `The evidence log is broken: ${evidence.lastFault?.code ?? 'refused'}.`,
        sinceMs: evidence.lastFault?.atMs ?? null,
        nextStep: 'Open the evidence page, keep the box as it is and find out who changed its log.',
      }
    : null;

const offline: Rule = ({ status }) =>
  status.value === 'offline'
    ? {
        health: 'problem',
        reason: `The box is ${status.reason}.`,
        sinceMs: status.sinceMs,
        nextStep:
          'Call the site: is the power on, is the internet up? The local page of the box shows what it cannot reach.',
      }
    : null;

const needsPerson: Rule = ({ needsPerson: { count, oldestAtMs } }) =>
  count > 0
    ? {
        health: 'problem',
        reason: `${plural(count, 'incident needs', 'incidents need')} a person: repair stopped or is not allowed.`,
        sinceMs: oldestAtMs,
        nextStep: 'Open the incident: it says what was tried and why it stopped.',
      }
    : null;

const severe: Rule = ({ incidents, oldestSevereAtMs }) => {
  const count = incidents.critical + incidents.high;
  if (count === 0) return null;
  const kinds = [incidents.critical && `${incidents.critical} critical`, incidents.high && `${incidents.high} high`];
  return {
    health: 'problem',
    reason: `${kinds.filter(Boolean).join(' and ')} ${count === 1 ? 'incident is' : 'incidents are'} open.`,
    sinceMs: oldestSevereAtMs,
    nextStep: 'Open the incident and see whether a repair is running.',
  };
};

const stale: Rule = ({ status }) =>
  status.value === 'stale'
    ? {
        health: 'warning',
        reason: `The box is ${status.reason}.`,
        sinceMs: status.sinceMs,
        nextStep: 'Wait: it becomes offline 15 min after its last check-in. Then call the site.',
      }
    : null;

const neverClaimed: Rule = ({ appliance }) =>
  appliance === null
    ? {
        health: 'unknown',
        reason: 'No box watches this site.',
        sinceMs: null,
        nextStep: 'Make a provisioning code and plug a box in.',
      }
    : null;

const neverSeen: Rule = ({ status, appliance }) =>
  status.value === 'pending' && appliance
    ? {
        health: 'unknown',
        reason: 'The box was claimed and has not checked in yet.',
        sinceMs: appliance.claimedAtMs,
        nextStep: 'Look at the local page of the box: the claim doctor says what it cannot reach.',
      }
    : null;

const open: Rule = ({ incidents, oldestAtMs }) => {
  const count = incidents.medium + incidents.low + incidents.info;
  return count > 0
    ? {
        health: 'warning',
        reason: `${plural(count, 'incident is', 'incidents are')} open, none of them severe.`,
        sinceMs: oldestAtMs,
        nextStep: 'Open the incident and see whether a repair is running.',
      }
    : null;
};

const failing: Rule = ({ checks }) =>
  checks.failing > 0
    ? {
        health: 'warning',
        reason: `${plural(checks.failing, 'check fails', 'checks fail')} and no incident is open for it.`,
        sinceMs: null,
        nextStep: 'Open the agents page: a workstation in tier MONITOR_ONLY only reports.',
      }
    : null;

const queueLate: Rule = ({ queue }, nowMs) =>
  queue.depth > 0 && queue.oldestAgeMs > QUEUE_LATE_MS
    ? {
        health: 'warning',
        reason: `${plural(queue.depth, 'row waits', 'rows wait')} on the box, the oldest for ${formatDuration(queue.oldestAgeMs)}.`,
        sinceMs: nowMs - queue.oldestAgeMs,
        nextStep: 'If it does not shrink, look at the queue on the local page of the box.',
      }
    : null;

const cosignLate: Rule = ({ evidence }, nowMs) =>
  evidence.mark === 'pending' && nowMs - (evidence.lastCosignedAtMs ?? 0) > COSIGN_LATE_MS
    ? {
        health: 'warning',
        reason: `Evidence is ${evidence.reason}.`,
        sinceMs: evidence.lastCosignedAtMs,
        nextStep: 'Look at the evidence line on the local page of the box.',
      }
    : null;

const unknown: Rule = ({ checks }) =>
  checks.unknown > 0
    ? {
        health: 'unknown',
        reason: `${plural(checks.unknown, 'check', 'checks')} could not be decided.`,
        sinceMs: null,
        nextStep: 'Open the agents page: the result says what the check could not read.',
      }
    : null;

/** In order: the first that speaks decides. Causes stand before what they cause. */
const RULES: readonly Rule[] = [
  quarantined,
  evidenceBroken,
  offline,
  needsPerson,
  severe,
  stale,
  neverClaimed,
  neverSeen,
  open,
  failing,
  queueLate,
  cosignLate,
  unknown,
];

export function siteHealth(facts: SiteFacts, nowMs: number): HealthVerdict {
  for (const rule of RULES) {
    const verdict = rule(facts, nowMs);
    if (verdict) return verdict;
  }
  return {
    health: 'ok',
    reason: `The box is ${facts.status.reason}, no incident is open.`,
    sinceMs: null,
    nextStep: '',
  };
}

const RANK: Record<SiteHealth, number> = { problem: 0, warning: 1, unknown: 2, ok: 3 };

/** What is not fine first. */
export const healthRank = (health: SiteHealth): number => RANK[health];
