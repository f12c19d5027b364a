import { isDeepStrictEqual } from 'node:util';
import type { Facts } from '@sitewarden/agent-proto/agent';
import type { TierNumber } from '@sitewarden/agent-proto/checks';
import type { ActionRunState, IncidentState } from '@sitewarden/agent-proto/http';
import type { PlanCode } from '../lib/action-codes.ts';
import type { Rule } from '../rules/index.ts';

/** A run of the rule's action on this host, for whatever incident. */
export interface PastRun {
  readonly params: Facts;
  readonly state: ActionRunState;
  readonly startedAtMs: number;
}

export interface PlanInput {
  readonly incident: { readonly state: IncidentState; readonly openedAtMs: number };
  readonly rule: Rule | undefined;
  /** Undefined: they cannot be told, or are not allowed on this host. */
  readonly params: Facts | undefined;
  /** The box obeys its own configuration; an agent its tier. */
  readonly target: 'box' | { readonly tier: TierNumber; readonly isConnected: boolean };
  /** When the failing result was certainly true. */
  readonly observedAtMs: number;
  readonly runs: readonly PastRun[];
  readonly nowMs: number;
}

export type Decision =
  | { readonly kind: 'run'; readonly rule: Rule; readonly params: Facts }
  | { readonly kind: 'wait'; readonly reason: 'RUNNING' | 'HOLD' | 'RESULT_OLD'; readonly untilMs: number }
  | { readonly kind: 'wait'; readonly reason: 'COOLDOWN'; readonly untilMs: number; readonly because: Because }
  | {
      readonly kind: 'refuse';
      readonly code: Extract<PlanCode, 'NO_RULE' | 'TIER_TOO_LOW' | 'AGENT_AWAY' | 'ATTEMPTS_EXHAUSTED'>;
    }
  | { readonly kind: 'call_person'; readonly code: Extract<PlanCode, 'TARGET_UNKNOWN'> }
  | { readonly kind: 'call_person'; readonly code: Extract<PlanCode, 'ATTEMPTS_EXHAUSTED'>; readonly because: Because };

/** The runs a limit counted. A person must be able to tell a target that was tried from one that was not. */
export interface Because {
  /** Parameters of the runs, oldest first. */
  readonly runs: readonly Facts[];
  /** One of them was about this target. */
  readonly isOwn: boolean;
}

/** A backlog can tell of faults long mended: what was seen longer ago than this is looked at again before acting on it. */
export const OBSERVATION_MAX_AGE_MS = 15 * 60 * 1000;
const RECHECK_WAIT_MS = 60_000;

/** Pure. The order of the questions is the order of the reasons a person is given. */
export function plan(input: PlanInput): Decision {
  const { incident, rule, params, target, runs, nowMs } = input;
  if (rule === undefined) return { kind: 'refuse', code: 'NO_RULE' };
  // Once a person is called, the incident is theirs until a check passes.
  if (incident.state === 'needs_person') return { kind: 'refuse', code: 'ATTEMPTS_EXHAUSTED' };
  if (target !== 'box' && target.tier < rule.minTier) return { kind: 'refuse', code: 'TIER_TOO_LOW' };
  if (params === undefined) return { kind: 'call_person', code: 'TARGET_UNKNOWN' };

  const isSameTarget = (run: PastRun) => isDeepStrictEqual(run.params, params);
  const active = runs.find((run) => isSameTarget(run) && isActive(run));
  if (active !== undefined) return { kind: 'wait', reason: 'RUNNING', untilMs: nowMs };
  const heldUntilMs = incident.openedAtMs + rule.holdForMs;
  if (nowMs < heldUntilMs) return { kind: 'wait', reason: 'HOLD', untilMs: heldUntilMs };

  const inScope = (per: 'target' | 'host') => (per === 'host' ? runs : runs.filter(isSameTarget));
  const attempts = inScope(rule.attempts.per).filter((run) => isNear(run, nowMs, rule.attempts.withinMs));
  const because = (those: readonly PastRun[]): Because => ({
    runs: those.map((run) => run.params),
    isOwn: those.some(isSameTarget),
  });
  if (attempts.length >= rule.attempts.max) {
    return { kind: 'call_person', code: 'ATTEMPTS_EXHAUSTED', because: because(attempts) };
  }

  const last = inScope(rule.cooldown.per).filter((run) => isNear(run, nowMs, rule.cooldown.ms));
  if (last.length > 0) {
    const untilMs = Math.max(...last.map((run) => run.startedAtMs)) + rule.cooldown.ms;
    return { kind: 'wait', reason: 'COOLDOWN', untilMs, because: because(last) };
  }
  if (target !== 'box' && !target.isConnected) return { kind: 'refuse', code: 'AGENT_AWAY' };
  if (Math.abs(nowMs - input.observedAtMs) > OBSERVATION_MAX_AGE_MS) {
    return { kind: 'wait', reason: 'RESULT_OLD', untilMs: nowMs + RECHECK_WAIT_MS };
  }
  return { kind: 'run', rule, params };
}

const isActive = (run: PastRun): boolean => run.state === 'started' || run.state === 'done';

/** Either way: after the clock was set back a run seems to lie ahead, and counts all the same. */
function isNear(run: PastRun, nowMs: number, withinMs: number): boolean {
  return Math.abs(nowMs - run.startedAtMs) < withinMs;
}
