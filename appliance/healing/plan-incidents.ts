import { isDeepStrictEqual } from 'node:util';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { TIERS } from '@sitewarden/agent-proto/checks';
import { isPlainName } from '@sitewarden/agent-proto/evidence';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { nextStepOf } from '../lib/incident-words.ts';
import { isBoxAction, type Rule, type RuleSet, type RuleSubject } from '../rules/index.ts';
import {
  type ActionRun,
  actionRunsNear,
  activeActionRuns,
  agents,
  BOX,
  type Incident,
  latestResult,
  openIncidents,
  type ResultRow,
} from '../store/index.ts';
import { LOCAL_ACTIONS } from './actions/index.ts';
import type { Effect } from './effects.ts';
import { type Decision, type PlanInput, plan } from './plan.ts';
import { lastRecheckAtMs, wasAskedFor } from './queries.ts';
import { askRecheck } from './recheck.ts';
import { nextStepFor } from './words.ts';
import { moveIncident, startRun } from './write-runs.ts';

export interface PlanContext {
  readonly rules: RuleSet;
  /** Services the box may restart on itself. */
  readonly boxServices: readonly string[];
  readonly nowMs: number;
  /** When the box was last asked to look at itself because of an old result. */
  readonly boxRefreshedAtMs: number | undefined;
  onMoved(run: ActionRun): void;
}

/** One old result is looked at again this often at the most. */
const REFRESH_EVERY_MS = 60_000;

/** Decides about every incident that no person was called for, and begins what is due. Belongs in a transaction. */
export function planIncidents(db: SqliteDatabase, context: PlanContext): Effect[] {
  const effects: Effect[] = [];
  const underWay = new Set(activeActionRuns(db).map((run) => run.incidentId));
  const cases: Case[] = [];
  for (const incident of openIncidents(db)) {
    if (incident.state === 'needs_person') continue;
    const result = latestResult(db, incident);
    const rule = result?.status === 'fail' ? context.rules.match(subjectOf(result)) : undefined;
    if (result !== undefined && rule !== undefined) cases.push({ incident, result, rule });
    else if (!underWay.has(incident.id)) letGo(db, { incident, result, nowMs: context.nowMs });
  }
  for (const one of inTurn(db, cases, context.nowMs)) {
    const effect = decideOne(db, one, context);
    if (effect !== undefined) effects.push(effect);
  }
  return effects;
}

/** Where a host may have few repairs, what was tried least goes first, then what failed first. */
function inTurn(db: SqliteDatabase, cases: readonly Case[], nowMs: number): readonly Case[] {
  if (cases.length < 2) return cases;
  const tries = ({ incident, result, rule }: Case): number => {
    const params = rule.params(subjectOf(result));
    return runsNear(db, incident.source, rule, nowMs).filter((run) => isDeepStrictEqual(run.params, params)).length;
  };
  return cases
    .map((one) => ({ one, tried: tries(one), openedAtMs: one.incident.openedAtMs, name: one.incident.subject }))
    .sort((a, b) => a.tried - b.tried || a.openedAtMs - b.openedAtMs || (a.name < b.name ? -1 : 1))
    .map(({ one }) => one);
}

const runsNear = (db: SqliteDatabase, source: string, rule: Rule, nowMs: number): ActionRun[] =>
  actionRunsNear(db, { source, action: rule.action, nowMs, withinMs: horizonMs(rule) });

/** No rule wants this incident (any more): the words of the check stand again. */
function letGo(
  db: SqliteDatabase,
  { incident, result, nowMs }: { incident: Incident; result: ResultRow | undefined; nowMs: number },
): void {
  if (incident.state === 'open' && incident.ruleId === null) return;
  // An unknown result says nothing about the fault, so what was said about it stays.
  const isKnown = result?.status === 'fail';
  const nextStep = isKnown ? nextStepOf(result, incident.host) : incident.nextStep;
  const ruleId = isKnown ? null : incident.ruleId;
  moveIncident(db, incident, { state: 'open', nextStep, ruleId, nowMs });
}

interface Case {
  readonly incident: Incident;
  readonly result: ResultRow;
  readonly rule: Rule;
}

function decideOne(db: SqliteDatabase, { incident, result, rule }: Case, context: PlanContext): Effect | undefined {
  const { nowMs } = context;
  const { source, host } = incident;
  const wanted = rule.params(subjectOf(result));
  const params = wanted !== undefined && isAllowed(rule, source, wanted, context) ? wanted : undefined;
  const target = targetOf(db, source);
  const decision = plan({
    incident,
    rule,
    params,
    target,
    observedAtMs: observedAtMs(db, result, nowMs),
    runs: runsNear(db, source, rule, nowMs),
    nowMs,
  });
  const isRunning = decision.kind === 'wait' && decision.reason === 'RUNNING';
  if (isRunning && incident.state === 'healing') return undefined;
  const byHand = nextStepOf(result, host);
  const tier = target === 'box' ? undefined : TIERS[target.tier];
  const nextStep = nextStepFor(decision, { host, rule, params: wanted ?? {}, byHand, tier });
  moveIncident(db, incident, { state: stateAfter(decision), nextStep, ruleId: rule.id, nowMs });
  if (decision.kind === 'run') {
    const { run, effect } = startRun(db, { incident, rule, params: decision.params, nowMs });
    context.onMoved(run);
    return effect;
  }
  const isOld = decision.kind === 'wait' && decision.reason === 'RESULT_OLD';
  return isOld && isRefreshDue(db, source, context)
    ? askRecheck(db, { source, check: incident.check, ruleId: rule.id, actionRunId: null, nowMs })
    : undefined;
}

function stateAfter(decision: Decision): Incident['state'] {
  if (decision.kind === 'run') return 'healing';
  if (decision.kind === 'call_person') return 'needs_person';
  return decision.kind === 'wait' && decision.reason === 'RUNNING' ? 'healing' : 'open';
}

const subjectOf = (result: ResultRow): RuleSubject => ({ ...result, source: result.source === BOX ? 'box' : 'agent' });

/** The longest that any of the rule's limits looks back. */
const horizonMs = (rule: Rule): number => Math.max(rule.cooldown.ms, rule.attempts.withinMs);

/** An agent guards its own services, so what is not even a name is refused here; the box touches only what it was told to. */
function isAllowed(rule: Rule, source: string, params: Facts, { boxServices }: PlanContext): boolean {
  if (source === BOX) return isBoxAction(rule.action) && LOCAL_ACTIONS[rule.action].isAllowed(params, boxServices);
  return Object.values(params).every((value) => typeof value !== 'string' || isPlainName(value));
}

function targetOf(db: SqliteDatabase, source: string): PlanInput['target'] {
  if (source === BOX) return 'box';
  const agent = agents.byId(db, source);
  if (agent === undefined || agent.state !== 'active') return { tier: 0, isConnected: false };
  return { tier: agent.tier, isConnected: agent.connected };
}

/** The stamp of an answer to a re-check is its receipt: the agent's clock has no say in it. */
function observedAtMs(db: SqliteDatabase, result: ResultRow, nowMs: number): number {
  const isYoung = Math.abs(nowMs - result.collectedAtMs) < REFRESH_EVERY_MS;
  return !isYoung && wasAskedFor(db, result.reportId) ? result.receivedAtMs : result.collectedAtMs;
}

function isRefreshDue(db: SqliteDatabase, source: string, { nowMs, boxRefreshedAtMs }: PlanContext): boolean {
  const lastAtMs = source === BOX ? boxRefreshedAtMs : lastRecheckAtMs(db, source);
  return lastAtMs === undefined || Math.abs(nowMs - lastAtMs) >= REFRESH_EVERY_MS;
}
