import type { Facts } from '@sitewarden/agent-proto/agent';
import { newId } from '@sitewarden/kit/ids';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { RUN_CODES } from '../lib/action-codes.ts';
import { hostWord } from '../lib/incident-words.ts';
import type { Rule } from '../rules/index.ts';
import {
  type ActionRun,
  agentOrders,
  BOX,
  type ChangeKind,
  changes,
  type Incident,
  incidentById,
  insertActionRun,
  toActionRunChange,
  toIncidentChange,
  updateActionRun,
  updateIncident,
} from '../store/index.ts';
import type { ActionResult } from './actions/index.ts';
import type { Effect } from './effects.ts';
import { deed } from './words.ts';

/** How long an agent may take to begin; later the fault may be another one. */
export const ORDER_EXPIRES_MS = 5 * 60 * 1000;
/** For a run whose rule is gone. */
const VERIFY_WITHIN_MS = 120_000;

/** All of these belong in a transaction. */
export function startRun(
  db: SqliteDatabase,
  { incident, rule, params, nowMs }: { incident: Incident; rule: Rule; params: Facts; nowMs: number },
): { run: ActionRun; effect: Effect } {
  const run: ActionRun = {
    id: newId('run'),
    incidentId: incident.id,
    source: incident.source,
    action: rule.action,
    params,
    state: 'started',
    code: null,
    outcome: `Sitewarden began to ${deed(rule.action, params)} on ${hostWord(incident.host)}.`,
    ruleId: rule.id,
    ruleVersion: rule.version,
    ruleDigest: rule.digest,
    startedAtMs: nowMs,
    finishedAtMs: null,
    verifyByMs: null,
    before: {},
    after: {},
    evidenceSeq: null,
  };
  insertActionRun(db, run);
  appendRun(db, 'action_started', run, nowMs);
  if (run.source === BOX) return { run, effect: { kind: 'execute', run } };
  agentOrders.insert(db, {
    id: newId('ord'),
    agentId: run.source,
    action: rule.action,
    params,
    actionRunId: run.id,
    relayOrderId: null,
    requestedBy: `rule:${rule.id}`,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + ORDER_EXPIRES_MS,
  });
  return { run, effect: { kind: 'agent_order', agentId: run.source } };
}

export function finishRun(
  db: SqliteDatabase,
  run: ActionRun,
  { result, rule, nowMs }: { result: ActionResult; rule: Rule | undefined; nowMs: number },
): ActionRun {
  const { state, code, before, after } = result;
  const outcome = (result.outcome || `The agent said: ${state}.`).slice(0, 1024);
  const verifyByMs = state === 'done' ? nowMs + (rule?.verifyWithinMs ?? VERIFY_WITHIN_MS) : null;
  const finished: ActionRun = { ...run, state, code, outcome, before, after, finishedAtMs: nowMs, verifyByMs };
  updateActionRun(db, finished);
  appendRun(db, 'action_finished', finished, nowMs);
  return finished;
}

export function judgeRun(
  db: SqliteDatabase,
  run: ActionRun,
  { state, nowMs }: { state: 'verified' | 'not_verified'; nowMs: number },
): ActionRun {
  const isVerified = state === 'verified';
  const judged: ActionRun = {
    ...run,
    state,
    code: isVerified ? null : 'NOT_VERIFIED',
    outcome: `${run.outcome} ${isVerified ? 'A fresh check passed.' : RUN_CODES.NOT_VERIFIED}`.slice(0, 1024),
  };
  updateActionRun(db, judged);
  appendRun(db, 'action_verified', judged, nowMs);
  return judged;
}

/** Writes what a decision means for the incident, and tells of it, when anything is different. */
export function moveIncident(
  db: SqliteDatabase,
  incident: Incident,
  to: Pick<Incident, 'state' | 'nextStep' | 'ruleId'> & { nowMs: number },
): void {
  const { nowMs, state, ruleId } = to;
  const nextStep = to.nextStep.slice(0, 1024);
  if (incident.state === state && incident.nextStep === nextStep && incident.ruleId === ruleId) return;
  const moved: Incident = { ...incident, state, nextStep, ruleId, changedAtMs: nowMs };
  updateIncident(db, moved);
  const isCall = state === 'needs_person' && incident.state !== 'needs_person';
  const kind = isCall ? 'incident_needs_person' : 'incident_changed';
  changes.append(db, { kind, refId: moved.id, body: toIncidentChange(moved), atMs: nowMs });
}

type RunChangeKind = Extract<ChangeKind, `action_${string}`>;

function appendRun(db: SqliteDatabase, kind: RunChangeKind, run: ActionRun, atMs: number): void {
  const incident = incidentById(db, run.incidentId);
  if (incident === undefined) throw new Error(`action run ${run.id} has no incident`);
  changes.append(db, { kind, refId: run.id, body: toActionRunChange(run, incident), atMs });
}
